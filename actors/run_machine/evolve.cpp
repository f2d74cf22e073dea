#include "actors/run_machine/machine.hpp"

#include <algorithm>

#include "actors/run_machine/due_times.hpp"
#include "actors/run_machine/follow.hpp"
#include "actors/run_machine/plain_line.hpp"
#include "actors/run_machine/progress.hpp"
#include "actors/run_machine/seen_outputs.hpp"

namespace levain {

namespace {

/// What a direct end of the run says about the calls that it did not await.
void fail_calls_out(run_state& state, const std::string& message) {
  for (step_index i = 0; i < state.steps.size(); ++i) {
    const bool external = state.workflow->steps[i].effect == call_effect::external;
    if (state.steps[i].phase == step_phase::calling)
      state.steps[i].failure = call_failure{call_failure::kind_type::abandoned, message, std::nullopt, external};
  }
}

/// True for a step that has something to undo, or that may have once its call is not awaited any more.
bool is_left_standing(const run_state& state, step_index i) {
  const auto& step = state.steps[i];
  const auto& definition = state.workflow->steps[i];
  const bool in_doubt = (step.phase == step_phase::calling && definition.effect == call_effect::external) ||
                        (step.phase == step_phase::backing_off && step.unknown);
  return can_be_undone(state, i) || is_open(step.undo) ||
         (in_doubt && definition.compensate && definition.compensate_when == compensation_condition::attempted);
}

/// What it says about the steps that it left standing.
void fail_undos_left(run_state& state, call_failure::kind_type kind, const std::string& message) {
  for (step_index i = 0; i < state.steps.size(); ++i)
    if (is_left_standing(state, i))
      state.steps[i].undo_failure = call_failure{kind, message, std::nullopt};
}

/// The texts of an end that awaits nothing.
void fail_in_hand(run_state& state, const event& fact) {
  if (fact.kind == event_kind::run_failed) {
    fail_undos_left(state, call_failure::kind_type::rejected, "the run ended before it was undone: " + fact.reason);
    fail_calls_out(state, "the run ended before its answer");
  } else {
    fail_undos_left(state, call_failure::kind_type::abandoned, "the run was terminated before it was undone");
    fail_calls_out(state, "the run was terminated before its answer");
  }
}

/// Keys that are used no more, and under which nobody knows what was done.
void keep_unknown_keys(run_state& state, const event& fact) {
  const auto done_anew = steps_done_anew(state, fact.renews_keys);
  for (step_index i = 0; i < state.steps.size(); ++i)
    if (done_anew[i] && is_left_unknown(state, i) && !state.attention_resolved)
      state.steps[i].unknown_keys.push_back(idempotency_key(state, i, false));
}

/// What a retry of the run is not to hide.
void keep_failed_undos(run_state& state) {
  for (auto& step : state.steps)
    if (step.undo == undo_phase::failed && !state.attention_resolved)
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
  case event_kind::attempt_withdrawn:
    step.lost_workers.clear();
    break;
  case event_kind::delivery_lost:
    step.lost_workers.push_back(std::move(fact.worker));
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

/// The names go with the attempt that they are about.
void forget_lost_workers(run_state& state) {
  for (auto& step : state.steps)
    if (step.lost_workers.size() > step.deliveries_lost)
      step.lost_workers.clear();
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
  case event_kind::terminate_requested:
    state.paused_by.clear();
    state.cancelled_by = std::move(fact.by);
    state.cancel_reason = std::move(fact.reason);
    break;
  case event_kind::attention_resolved:
    state.resolved_by = std::move(fact.by);
    state.resolve_note = std::move(fact.reason);
    state.resolved_at = fact.at;
    for (auto& step : state.steps) {
      step.left_behind.reset();
      step.unknown_keys.clear();
    }
    break;
  case event_kind::run_retried:
    state.end_reason.clear();
    state.resolved_by.clear();
    state.resolve_note.clear();
    state.resolved_at.reset();
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
  if ((fact.kind == event_kind::run_failed && fact.failure) || fact.kind == event_kind::terminate_requested)
    fail_in_hand(state, fact);
  if (fact.kind == event_kind::run_retried) {
    keep_unknown_keys(state, fact);
    keep_failed_undos(state);
    keep_seen_outputs(state);
  }
  advance(state, fact, nullptr);
  take_texts(state, fact);
  forget_lost_workers(state);
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
