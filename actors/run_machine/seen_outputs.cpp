#include "actors/run_machine/seen_outputs.hpp"

namespace levain {

namespace {

/// Points at the outputs of all that a step comes after, directly or through others, whether they have one or not.
void point_at_earlier(const run_state& state, step_index step, std::vector<const std::string*>& outputs) {
  std::vector<step_index> open = {step};
  while (!open.empty()) {
    const auto& definition = state.workflow->steps[open.back()];
    open.pop_back();
    for (const auto* list : {&definition.needs, &definition.after})
      for (auto each : *list)
        if (!outputs[each]) {
          outputs[each] = &state.steps[each].output;
          open.push_back(each);
        }
  }
}

/// True for a step that may have to be undone although others are done anew.
bool stands(const run_state& state, step_index i) {
  const auto& step = state.steps[i];
  return step.phase == step_phase::succeeded && step.undo != undo_phase::compensated &&
         state.workflow->steps[i].compensate.has_value();
}

} // namespace

std::vector<const std::string*> seen_outputs(const run_state& state, step_index step, bool undo) {
  std::vector<const std::string*> seen(state.steps.size(), nullptr);
  point_at_earlier(state, step, seen);
  for (step_index i = 0; i < seen.size(); ++i) {
    const auto& each = state.steps[i];
    // What comes before a step that was skipped may end later, and so may what was undone and is done anew.
    if (each.phase != step_phase::succeeded || each.ended_seq > state.steps[step].started_seq)
      seen[i] = nullptr;
  }
  if (!undo)
    return seen;
  // A step that is undone in doubt has no output.
  if (state.steps[step].phase == step_phase::succeeded)
    seen[step] = &state.steps[step].output;
  for (const auto& each : state.seen_before)
    if (each.by == step)
      seen[each.of] = &each.output;
  return seen;
}

void keep_seen_outputs(run_state& state) {
  std::erase_if(state.seen_before, [&](const seen_output& each) { return !stands(state, each.by); });
  for (step_index by = 0; by < state.steps.size(); ++by) {
    if (!stands(state, by))
      continue;
    const auto seen = seen_outputs(state, by, false);
    for (step_index of = 0; of < seen.size(); ++of)
      if (seen[of] && state.steps[of].undo == undo_phase::compensated)
        state.seen_before.push_back({by, of, *seen[of]});
  }
}

} // namespace levain
