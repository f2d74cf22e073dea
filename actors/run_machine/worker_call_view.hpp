#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "persistence/timestamp.hpp"

namespace levain {

/// Where a call to a worker is, for people.
struct worker_call_view {
  /// Nobody has it yet.
  bool waiting = true;
  /// Somebody who is connected offers the kind.
  bool offered = false;
  /// Who has it; empty while it waits.
  std::string worker;
  /// Since when; absent while it waits.
  std::optional<timestamp> given_at = {};
  /// The words of its last heartbeat; empty when there was none.
  std::string progress = {};
  std::optional<timestamp> progress_at = {};
  /// How often it was given to a worker, by this node.
  uint32_t deliveries = 0;
  /// The workers that were lost with it, the first one first.
  std::vector<std::string> lost_workers = {};
  bool operator==(const worker_call_view&) const = default;
};

} // namespace levain
