#pragma once

#include <string_view>
#include <vector>

#include "actors/run_machine/machine.hpp"

namespace levain::test {

/// Workflows that between them say everything a definition can say, from one step to many.
const std::vector<workflow_ptr>& fuzz_workflows();

/// A plan for a run of the workflow.
run_plan fuzz_plan(const workflow_definition& workflow);

/// Requires what holds for every state that the machine has folded, whatever the journal said: it can be explained,
/// shown, projected, and its calls can be made ready or fail by name.
void require_sound(const run_state& state, timestamp now);

/// Requires that what the machine decides next, whatever it is fed, can follow: no state that a journal folds to leads
/// the machine to contradict itself.
void require_steady(const run_state& state, timestamp now);

/// Requires that the message of a `broken_journal` names an event.
void require_damage(std::string_view message);

} // namespace levain::test
