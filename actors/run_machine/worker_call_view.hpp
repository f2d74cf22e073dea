#pragma once

#include <optional>
#include <string>

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
  bool operator==(const worker_call_view&) const = default;
};

} // namespace levain
