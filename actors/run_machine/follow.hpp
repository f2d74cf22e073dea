#pragma once

#include "actors/run_machine/event.hpp"
#include "actors/run_machine/state.hpp"

namespace levain {

/// INTERNAL to the run machine. Throws `broken_journal` when the event cannot follow the state.
void check_follows(const run_state& state, const event& fact);

} // namespace levain
