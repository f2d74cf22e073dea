#pragma once

#include <string>
#include <vector>

#include "actors/run_machine/state.hpp"

/// INTERNAL to the run machine: which outputs a call is told, by this one rule. A step's call is told those of the
/// steps that it comes after, directly or through others, and that had succeeded when it began; so every attempt is
/// told the same. The call that undoes it is told the same once more, and the step's own.
namespace levain {

/// For each step: the output that a call of `step` is told, or null. Valid as long as the state is.
std::vector<const std::string*> seen_outputs(const run_state& state, step_index step, bool undo);

/// Before the run is retried: keeps what steps that stand have seen of those that were undone and are done anew.
void keep_seen_outputs(run_state& state);

} // namespace levain
