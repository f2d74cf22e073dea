#include "actors/run_machine/follow.hpp"

#include <algorithm>

#include "actors/run_machine/machine.hpp"
#include "actors/run_machine/progress.hpp"

namespace levain {

namespace {

bool is_about_step(event_kind kind) {
  switch (kind) {
  case event_kind::step_succeeded:
  case event_kind::attempt_failed:
  case event_kind::attempt_started:
  case event_kind::attempt_withdrawn:
  case event_kind::delivery_lost:
  case event_kind::step_failed:
  case event_kind::step_skipped:
  case event_kind::step_compensated:
  case event_kind::compensation_attempt_failed:
  case event_kind::compensation_attempt_started:
  case event_kind::compensation_failed:
    return true;
  default:
    return false;
  }
}

bool has_call_out(const run_state& state) {
  return std::any_of(
    state.steps.begin(), state.steps.end(), [](const step_state& step) { return step.phase == step_phase::calling; });
}

bool has_open_undo(const run_state& state) {
  return std::any_of(state.steps.begin(), state.steps.end(), [](const step_state& step) { return is_open(step.undo); });
}

/// True when a run that fails or is cancelled has nothing left to wait for or to undo.
bool is_wound_up(const run_state& state) {
  if (state.phase == run_phase::stopping)
    return !has_call_out(state) && !has_undoable_step(state);
  return state.phase == run_phase::compensating && !has_open_undo(state);
}

template <class Predicate>
bool all_steps(const run_state& state, Predicate predicate) {
  return std::all_of(
    state.steps.begin(), state.steps.end(), [&](const step_state& step) { return predicate(step.phase); });
}

/// Why an event about a step cannot follow; null when it can.
const char* step_fault(const run_state& state, const event& fact) {
  if (!fact.step || *fact.step >= state.steps.size())
    return "the workflow has no such step";
  const auto& step = state.steps[*fact.step];
  bool out = step.phase == step_phase::calling && step.attempt == fact.attempt;
  bool undo_out = step.undo == undo_phase::calling && step.undo_attempt == fact.attempt;
  bool may_begin = !state.paused;
  switch (fact.kind) {
  case event_kind::step_succeeded:
  case event_kind::step_failed:
    return out ? nullptr : "the step has no such attempt out";
  case event_kind::attempt_failed:
    return out && state.phase == run_phase::running && fact.due_at ? nullptr : "the step has no such attempt to repeat";
  case event_kind::attempt_started:
    return step.phase == step_phase::backing_off && fact.attempt == step.attempt + 1 && may_begin
             ? nullptr
             : "the step does not wait for this attempt";
  case event_kind::attempt_withdrawn:
    return out && step.attempts_in_round > 0 ? nullptr : "the step has no such attempt to withdraw";
  case event_kind::delivery_lost:
    return out || undo_out ? nullptr : "the step has no such attempt with a worker";
  case event_kind::step_skipped:
    return (step.phase == step_phase::waiting || step.phase == step_phase::ready) && state.phase == run_phase::running
             ? nullptr
             : "the step does not wait";
  case event_kind::step_compensated:
  case event_kind::compensation_failed:
    return undo_out ? nullptr : "the step has no such attempt to undo it out";
  case event_kind::compensation_attempt_failed:
    return undo_out && fact.due_at ? nullptr : "the step has no such attempt to undo it to repeat";
  default:
    return step.undo == undo_phase::backing_off && fact.attempt == step.undo_attempt + 1 && may_begin
             ? nullptr
             : "the step does not wait for this attempt to undo it";
  }
}

const char* start_fault(const run_state& state, const event& fact) {
  if (!fact.plan)
    return "it has no plan";
  if (fact.plan->workflow != state.workflow->name || fact.plan->workflow_version != state.workflow->version)
    return "the run is pinned to another workflow or version";
  return nullptr;
}

const char* end_fault(const run_state& state, const event& fact) {
  bool fits = false;
  switch (fact.kind) {
  case event_kind::run_completed:
    fits = state.phase == run_phase::running &&
           all_steps(state, [](step_phase phase) { return phase == step_phase::succeeded; });
    break;
  case event_kind::run_partially_succeeded:
    fits = state.phase == run_phase::running && all_steps(state, [](step_phase phase) { return is_ended(phase); }) &&
           !all_steps(state, [](step_phase phase) { return phase == step_phase::succeeded; });
    break;
  case event_kind::run_failed:
    fits = fact.failure || (!state.cancelling && is_wound_up(state));
    break;
  default:
    fits = state.cancelling && (state.phase == run_phase::pending || is_wound_up(state));
  }
  return fits ? nullptr : "the run cannot end so";
}

/// Why an event about the run as a whole cannot follow; null when it can.
const char* run_fault(const run_state& state, const event& fact) {
  switch (fact.kind) {
  case event_kind::run_accepted:
    return "only the first event accepts a run";
  case event_kind::run_started:
    return state.phase == run_phase::pending && !state.cancelling ? nullptr : "the run is not pending";
  case event_kind::run_paused:
    return !state.paused ? nullptr : "the run is paused";
  case event_kind::run_resumed:
    return state.paused ? nullptr : "the run is not paused";
  case event_kind::cancel_requested:
    return !state.cancelling && (state.phase == run_phase::pending || state.phase == run_phase::running ||
                                 state.phase == run_phase::waiting_for_retry)
             ? nullptr
             : "the run cannot be cancelled";
  case event_kind::terminate_requested:
    return !state.terminated ? nullptr : "the run is terminated already";
  case event_kind::attention_resolved:
    return "the run has not ended";
  case event_kind::compensation_started:
    return state.phase == run_phase::stopping && !has_call_out(state) && has_undoable_step(state)
             ? nullptr
             : "the run has nothing to undo";
  case event_kind::run_retry_scheduled:
    return state.phase == run_phase::stopping && !state.cancelling && !has_call_out(state) && fact.due_at
             ? nullptr
             : "the run is not stopped by a failure";
  case event_kind::run_retried:
    return state.phase == run_phase::waiting_for_retry ? nullptr : "the run does not wait for a retry";
  default:
    return end_fault(state, fact);
  }
}

/// What failed is listed for a person, whether it left something behind or not.
bool can_be_resolved(const run_state& state) {
  return !state.attention_resolved && (state.ended_as == run_status::failed || audit_of(state).attention);
}

const char* fault_of(const run_state& state, const event& fact) {
  if (fact.seq != state.seq + 1)
    return "it is not the next number";
  if (fact.seq == 1)
    return fact.kind == event_kind::run_accepted ? start_fault(state, fact) : "a journal begins with run_accepted";
  if (state.phase == run_phase::ended && fact.kind == event_kind::attention_resolved)
    return can_be_resolved(state) ? nullptr : "the run needs no attention";
  if (state.phase == run_phase::ended) {
    bool may_go_on = state.ended_as == run_status::failed || state.ended_as == run_status::partial_success;
    return fact.kind == event_kind::run_retried && may_go_on ? nullptr : "the run has ended";
  }
  return is_about_step(fact.kind) ? step_fault(state, fact) : run_fault(state, fact);
}

} // namespace

void check_follows(const run_state& state, const event& fact) {
  const char* fault = fault_of(state, fact);
  if (!fault)
    return;
  std::string text = "event " + std::to_string(fact.seq) + " (" + std::string(to_string(fact.kind));
  if (fact.step && *fact.step < state.workflow->steps.size())
    text += " of step " + state.workflow->steps[*fact.step].name;
  else if (fact.step)
    text += " of step number " + std::to_string(*fact.step);
  if (fact.attempt > 0)
    text += ", attempt " + std::to_string(fact.attempt);
  throw broken_journal(
    text + ") cannot follow event " + std::to_string(state.seq) + " of run " + to_string(state.plan.run) + ": " +
    fault);
}

} // namespace levain
