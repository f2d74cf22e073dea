#include "actors/run_machine/due_times.hpp"

#include "actors/run_machine/retry.hpp"

namespace levain {

namespace {

/// Jitter makes no wait longer than this draw does.
constexpr double longest_draw = 1;

duration wait_max(const retry_policy& policy, uint32_t tries, const std::optional<call_failure>& failure) {
  return retry_wait(policy, tries, longest_draw, failure ? failure->retry_after : std::nullopt);
}

} // namespace

std::vector<due_time> due_times(const run_state& state) {
  std::vector<due_time> all;
  if (state.phase == run_phase::waiting_for_retry && state.retry_at)
    all.push_back({*state.retry_at, run_retry_wait(state.workflow->run_retries, state.retry_count)});
  if (state.phase != run_phase::running && state.phase != run_phase::compensating)
    return all;
  for (step_index i = 0; i < state.steps.size(); ++i) {
    const auto& step = state.steps[i];
    const auto& definition = state.workflow->steps[i];
    if (state.phase == run_phase::running && step.phase == step_phase::backing_off && step.next_attempt_at)
      all.push_back({*step.next_attempt_at, wait_max(definition.retry, step.attempts_in_round, step.failure)});
    if (state.phase == run_phase::compensating && step.undo == undo_phase::backing_off && step.next_undo_at)
      all.push_back(
        {*step.next_undo_at, wait_max(definition.compensate->retry, step.undo_attempts_in_round, step.undo_failure)});
  }
  return all;
}

} // namespace levain
