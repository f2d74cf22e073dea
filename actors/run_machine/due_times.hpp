#pragma once

#include <vector>

#include "actors/run_machine/state.hpp"

namespace levain {

/// A time that a run waits for.
struct due_time {
  /// As the journal has it: by the clock of the node that wrote it.
  timestamp at{};
  /// How long the wait is at most, whatever two clocks say: what the policy allows, or what the service asked for.
  duration wait_max{};

  bool operator==(const due_time&) const = default;
};

/// What `clock_reached` would begin, each when its time has come; also of a paused run, which begins nothing.
std::vector<due_time> due_times(const run_state& state);

} // namespace levain
