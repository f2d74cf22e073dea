#include "actors/run_machine/machine.hpp"

#include <algorithm>

#include "actors/run_machine/due_times.hpp"
#include "actors/run_machine/follow.hpp"
#include "actors/run_machine/plain_line.hpp"
#include "actors/run_machine/progress.hpp"
#include "actors/run_machine/seen_outputs.hpp"

namespace levain {

namespace {

/// What the texts of a direct failure say about the step and the compensation it left behind.
void fail_in_hand(run_state& state, const event& fact) {
  for (step_index i = 0; i < state.steps.size(); ++i) {
    auto& step = state.steps[i];
    if (step.phase == step_phase::calling)
      step.failure = call_failure{call_failure::kind_type::abandoned, "the run ended before its answer", std::nullopt};
    if (can_be_undone(state, i) || is_open(step.undo))
      step.undo_failure = call_failure{
        call_failure::kind_type::rejected, "the run ended before it was undone: " + fact.reason, std::nullopt};
  }
}

/// What a retry of the run is not to hide.
void keep_failed_undos(run_state& state) {
  for (auto& step : state.steps)
    if (step.undo == undo_phase::failed)
      step.left_behind =
        undo_left_behind{step.undo_attempts_in_round, state.rejected ? std::nullopt : step.undo_failure};
}

/// The texts of an event about a step.
void take_step_texts(step_state& step, event& fact) {
  switch (fact.kind) {
  case event_kind::step_succeeded:
    step.output = std::move(fact.output);
    step.recorded = std::move(fact.recorded);
    break;
  case event_kind::attempt_failed:
  case event_kind::step_failed:
    step.failure = std::move(fact.failure);
    break;
  case event_kind::step_skipped:
    step.skip_reason = std::move(fact.reason);
    break;
  case event_kind::compensation_attempt_failed:
  case event_kind::compensation_failed:
    step.undo_failure = std::move(fact.failure);
    break;
  case event_kind::step_compensated:
    step.left_behind.reset();
    break;
  default:
    break;
  }
}

/// What a step that is to be done anew must not keep.
void forget_results(run_state& state) {
  for (auto& step : state.steps) {
    step.undo_failure.reset();
    if (step.phase == step_phase::succeeded)
      continue;
    step.output.clear();
    step.recorded.clear();
    step.skip_reason.clear();
  }
}

/// The texts of an event, once the run has moved along by it.
void take_texts(run_state& state, event& fact) {
  switch (fact.kind) {
  case event_kind::run_accepted:
    state.plan = std::move(*fact.plan);
    break;
  case event_kind::run_paused:
    state.paused_by = std::move(fact.by);
    break;
  case event_kind::run_resumed:
    state.paused_by.clear();
    break;
  case event_kind::cancel_requested:
    state.paused_by.clear();
    state.cancelled_by = std::move(fact.by);
    state.cancel_reason = std::move(fact.reason);
    break;
  case event_kind::run_retried:
    state.end_reason.clear();
    state.rejected = false;
    forget_results(state);
    break;
  case event_kind::run_failed:
    state.end_reason = std::move(fact.reason);
    state.rejected = fact.failure.has_value();
    [[fallthrough]];
  case event_kind::run_completed:
  case event_kind::run_partially_succeeded:
  case event_kind::run_cancelled:
    state.paused_by.clear();
    break;
  default:
    if (fact.step)
      take_step_texts(state.steps[*fact.step], fact);
  }
}

} // namespace

broken_journal::broken_journal(std::string_view what)
  : std::runtime_error(plain_line(what)) {}

run_state initial_state(workflow_ptr workflow) {
  run_state state;
  state.steps.resize(workflow->steps.size());
  state.workflow = std::move(workflow);
  return state;
}

void evolve(run_state& state, event&& fact) {
  check_follows(state, fact);
  if (fact.kind == event_kind::run_failed && fact.failure)
    fail_in_hand(state, fact);
  if (fact.kind == event_kind::run_retried) {
    keep_failed_undos(state);
    keep_seen_outputs(state);
  }
  advance(state, fact, nullptr);
  take_texts(state, fact);
}

void evolve(run_state& state, const event& fact) {
  evolve(state, event(fact));
}

std::vector<begin_call> calls_out(const run_state& state) {
  std::vector<begin_call> out;
  if (state.phase == run_phase::ended)
    return out;
  for (step_index i = 0; i < state.steps.size(); ++i) {
    const auto& step = state.steps[i];
    if (step.phase == step_phase::calling)
      out.push_back({i, step.attempt, false});
    if (step.undo == undo_phase::calling)
      out.push_back({i, step.undo_attempt, true});
  }
  return out;
}

std::optional<timestamp> next_due(const run_state& state) {
  std::optional<timestamp> earliest;
  if (!state.paused)
    for (const auto& due : due_times(state))
      earliest = earliest ? std::min(*earliest, due.at) : due.at;
  return earliest;
}

std::string idempotency_key(const run_state& state, step_index step, bool undo) {
  auto key = to_string(state.plan.run) + "/" + state.workflow->steps[step].name;
  if (auto redo = state.steps[step].redo; redo > 0)
    key += "/redo/" + std::to_string(redo);
  if (undo)
    key += "/undo";
  return key;
}

} // namespace levain
