#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/run_machine/state.hpp"

namespace levain {

/// One thing a run waits for.
struct wait_reason {
  /// `slot`, `call`, `retry`, `run_retry`, `steps`, `pause`, `compensation`, `compensation_retry`; `nothing` when it
  /// has ended.
  std::string kind;
  /// The step concerned; empty for the run as a whole.
  std::string step;
  /// A sentence: what, since when, until when, why.
  std::string text;
  std::optional<timestamp> since;
  std::optional<timestamp> until;
  bool operator==(const wait_reason&) const = default;
};

/// Why a run is where it is, as a function of its state alone.
struct explanation {
  /// One sentence on the whole.
  std::string summary;
  std::vector<wait_reason> waits;
  bool operator==(const explanation&) const = default;
};

explanation explain(const run_state& state, timestamp now);

} // namespace levain
