#include "actors/run_machine/decider.hpp"

#include <algorithm>

#include "actors/run_machine/output.hpp"
#include "actors/run_machine/plain_line.hpp"
#include "actors/run_machine/retry.hpp"
#include "actors/workflow/parse_definition.hpp"

namespace levain {

namespace {

bool may_be_mended(const call_failure& failure) {
  return failure.kind == call_failure::kind_type::retryable || failure.kind == call_failure::kind_type::timeout;
}

/// True for what only happens because a person asked for it.
bool is_wish(const event& fact) {
  return fact.kind == event_kind::run_paused || fact.kind == event_kind::run_resumed ||
         fact.kind == event_kind::cancel_requested || fact.kind == event_kind::terminate_requested ||
         fact.kind == event_kind::attention_resolved || (fact.kind == event_kind::run_retried && !fact.by.empty());
}

/// Ended runs as refusals name them.
std::string ended_sentence(const run_state& state) {
  auto status = state.ended_as.value_or(run_status::failed);
  switch (status) {
  case run_status::completed:
    return "the run has completed";
  case run_status::partial_success:
    return "the run has ended in partial success";
  case run_status::cancelled:
    return "the run was cancelled";
  default:
    return "the run has failed";
  }
}

} // namespace

// ---- inputs -----------------------------------------------------------------

void decider::take(const slot_granted&) {
  if (run_.phase != run_phase::pending)
    return;
  // Both events of a cancellation are appended at once, but a journal may have been cut between them by hand.
  emit(make(run_.cancelling ? event_kind::run_cancelled : event_kind::run_started));
}

void decider::take(const call_answered& input) {
  take_result(input);
  if (decision_.events.empty())
    return;
  auto& outcome = decision_.events.front();
  if (outcome.kind == event_kind::attempt_withdrawn)
    return; // Nobody had it, and no work is to be told from the wait.
  outcome.worker = plain_line(input.worker);
  outcome.queued = std::chrono::floor<std::chrono::milliseconds>(input.queued);
}

void decider::take_result(const call_answered& input) {
  if (run_.phase == run_phase::ended || input.step >= run_.steps.size())
    return;
  const auto& step = run_.steps[input.step];
  const auto* failure = std::get_if<call_failure>(&input.result);
  if (input.undo) {
    if (step.undo != undo_phase::calling || step.undo_attempt != input.attempt)
      return;
    if (failure)
      fail_undo_attempt(input.step, *failure);
    else
      emit(make(event_kind::step_compensated, input.step, input.attempt));
    return;
  }
  if (step.phase != step_phase::calling || step.attempt != input.attempt)
    return;
  if (failure && failure->kind == call_failure::kind_type::withdrawn)
    return emit(make(event_kind::attempt_withdrawn, input.step, input.attempt));
  if (failure)
    return fail_attempt(input.step, *failure);
  auto checked = check_output(run_.workflow->steps[input.step], std::get<std::string>(input.result));
  if (auto* fault = std::get_if<unusable_json>(&checked))
    // It was answered as a success: the work was done, and nobody can tell what it came to.
    return fail_attempt(
      input.step, {call_failure::kind_type::invalid_output, std::move(fault->message), std::nullopt, true});
  auto& usable = std::get<usable_output>(checked);
  size_t results_bytes = usable.text.size();
  for (const auto& each : state_.steps)
    results_bytes += each.output.size();
  if (results_bytes > results_bytes_max)
    return fail_attempt(
      input.step,
      {call_failure::kind_type::invalid_output,
       "the results of the run would have " + std::to_string(results_bytes) + " bytes with this one; at most " +
         std::to_string(results_bytes_max) + " are allowed (results_bytes_max)",
       std::nullopt, true});
  auto fact = make(event_kind::step_succeeded, input.step, input.attempt);
  fact.output = std::move(usable.text);
  fact.recorded = std::move(usable.recorded);
  emit(std::move(fact));
}

void decider::take(const clock_reached&) {
  if (run_.paused)
    return;
  auto is_due = [&](const std::optional<timestamp>& due) {
    if (
      !due || !(context_.come ? std::ranges::find(*context_.come, *due) != context_.come->end() : *due <= context_.now))
      return false;
    // It is at least so late, also by a clock that was set back since.
    context_.now = std::max(context_.now, *due);
    return true;
  };
  if (run_.phase == run_phase::waiting_for_retry && is_due(run_.retry_at)) {
    auto fact = make(event_kind::run_retried);
    fact.renews_keys = true;
    return emit(std::move(fact));
  }
  for (step_index i = 0; i < run_.steps.size(); ++i) {
    const auto& step = run_.steps[i];
    if (run_.phase == run_phase::running && step.phase == step_phase::backing_off && is_due(step.next_attempt_at))
      emit(make(event_kind::attempt_started, i, step.attempt + 1));
    if (run_.phase == run_phase::compensating && step.undo == undo_phase::backing_off && is_due(step.next_undo_at))
      emit(make(event_kind::compensation_attempt_started, i, step.undo_attempt + 1));
  }
}

void decider::take(const cancel_asked& input) {
  if (run_.phase == run_phase::ended)
    return refuse(ended_sentence(state_) + "; only a run that has not ended can be cancelled");
  if (run_.cancelling)
    return refuse("the run is being cancelled already");
  if (run_.phase == run_phase::stopping || run_.phase == run_phase::compensating)
    return refuse("the run is failing already and undoes what it did by itself; it cannot be cancelled any more");
  auto fact = make(event_kind::cancel_requested);
  fact.by = plain_line(input.by);
  fact.reason = plain_line(input.reason);
  emit(std::move(fact));
}

void decider::take(const pause_asked& input) {
  if (run_.phase == run_phase::ended)
    return refuse(ended_sentence(state_) + "; only a run that has not ended can be paused");
  if (run_.paused)
    return refuse("the run is paused already, by " + state_.paused_by);
  auto fact = make(event_kind::run_paused);
  fact.by = plain_line(input.by);
  emit(std::move(fact));
}

void decider::take(const resume_asked& input) {
  if (run_.phase == run_phase::ended)
    return refuse(ended_sentence(state_) + "; only a paused run can be resumed");
  if (!run_.paused)
    return refuse("the run is not paused; only a paused run can be resumed");
  auto fact = make(event_kind::run_resumed);
  fact.by = plain_line(input.by);
  emit(std::move(fact));
  take(clock_reached{});
}

void decider::take(const retry_asked& input) {
  bool failed = run_.ended_as == run_status::failed || run_.ended_as == run_status::partial_success;
  if (run_.phase == run_phase::ended && !failed)
    return refuse(ended_sentence(state_) + "; only a run that failed or ended in partial success can be retried");
  if (run_.phase != run_phase::ended && run_.phase != run_phase::waiting_for_retry)
    return refuse(
      "the run is " + std::string(to_string(run_.phase)) +
      "; only a run that failed, or waits for its automatic retry, can be retried");
  auto fact = make(event_kind::run_retried);
  fact.by = plain_line(input.by);
  if (fact.by.empty())
    fact.by = "someone"; // nobody is the engine itself
  fact.renews_keys = true;
  emit(std::move(fact));
}

void decider::take(const terminate_asked& input) {
  if (run_.phase == run_phase::ended)
    return refuse(ended_sentence(state_) + "; only a run that has not ended can be terminated");
  auto fact = make(event_kind::terminate_requested);
  fact.by = plain_line(input.by);
  fact.reason = plain_line(input.reason);
  emit(std::move(fact));
}

void decider::take(const resolve_asked& input) {
  if (run_.phase != run_phase::ended)
    return refuse(
      "the run is " + std::string(to_string(run_.phase)) + "; only what a run left behind at its end can be resolved");
  if (run_.attention_resolved)
    return refuse("its attention was resolved already, by " + state_.resolved_by);
  // What failed is listed for a person, whether it left something behind or not.
  if (run_.ended_as != run_status::failed && !audit_of(state_).attention)
    return refuse("the run needs no attention; there is nothing to resolve");
  auto fact = make(event_kind::attention_resolved);
  fact.by = plain_line(input.by);
  fact.reason = plain_line(input.note);
  emit(std::move(fact));
}

void decider::take(const cancel_grace_over& input) {
  if (run_.phase != run_phase::stopping || !run_.cancelling)
    return;
  const auto message =
    "the run was cancelled, and no answer came within cancel_grace, which is " + format_duration(input.grace);
  for (step_index i = 0; i < run_.steps.size(); ++i)
    if (run_.steps[i].phase == step_phase::calling)
      fail_attempt(i, {call_failure::kind_type::abandoned, message, std::nullopt, true});
}

void decider::take(const delivery_was_lost& input) {
  if (run_.phase == run_phase::ended || input.step >= run_.steps.size())
    return;
  const auto& step = run_.steps[input.step];
  const bool out = input.undo ? step.undo == undo_phase::calling && step.undo_attempt == input.attempt
                              : step.phase == step_phase::calling && step.attempt == input.attempt;
  if (!out)
    return;
  auto fact = make(event_kind::delivery_lost, input.step, input.attempt);
  fact.worker = plain_line(input.worker);
  emit(std::move(fact));
}

void decider::take(const events_refused& input) {
  auto any = [&](auto predicate) { return std::any_of(input.events.begin(), input.events.end(), predicate); };
  bool was_rejection =
    any([](const event& fact) { return fact.failure && fact.failure->kind == call_failure::kind_type::rejected; });
  bool was_last_resort = any([](const event& fact) { return fact.kind == event_kind::run_failed && fact.failure; });
  bool was_wish = any(is_wish);
  if (run_.seq == 0 || was_last_resort)
    return refuse("the journal refuses the run's events: " + plain_line(input.reason));
  if (run_.phase == run_phase::ended || (!was_rejection && fail_refused_outcomes(input)))
    return;
  if (was_wish && !was_rejection)
    return; // whoever wished it is told; the run is as it was
  fail_run_directly(input);
}

// ---- failures ---------------------------------------------------------------

void decider::fail_attempt(step_index i, call_failure failure) {
  failure = plain_line(std::move(failure));
  failure.unknown = failure.unknown && run_.workflow->steps[i].effect == call_effect::external;
  const auto& step = run_.steps[i];
  const auto& policy = run_.workflow->steps[i].retry;
  bool again =
    run_.phase == run_phase::running && may_be_mended(failure) && step.attempts_in_round < policy.max_attempts;
  auto fact = make(again ? event_kind::attempt_failed : event_kind::step_failed, i, step.attempt);
  if (again)
    fact.due_at = context_.now + retry_wait(policy, step.attempts_in_round, context_.random, failure.retry_after);
  fact.failure = std::move(failure);
  emit(std::move(fact));
}

void decider::fail_undo_attempt(step_index i, call_failure failure) {
  failure = plain_line(std::move(failure));
  const auto& step = run_.steps[i];
  const auto& policy = run_.workflow->steps[i].compensate->retry;
  bool again = may_be_mended(failure) && step.undo_attempts_in_round < policy.max_attempts;
  auto fact =
    make(again ? event_kind::compensation_attempt_failed : event_kind::compensation_failed, i, step.undo_attempt);
  if (again)
    fact.due_at = context_.now + retry_wait(policy, step.undo_attempts_in_round, context_.random, failure.retry_after);
  fact.failure = std::move(failure);
  emit(std::move(fact));
}

bool decider::fail_refused_outcomes(const events_refused& refused) {
  bool any = false;
  for (const auto& fact : refused.events) {
    if (!fact.step || *fact.step >= run_.steps.size())
      continue;
    // What is out in the state, not in the outline: a step that begins by this very decision has not answered.
    const auto& step = state_.steps[*fact.step];
    call_failure failure{call_failure::kind_type::rejected, {}, std::nullopt};
    switch (fact.kind) {
    case event_kind::step_succeeded:
    case event_kind::attempt_failed:
    case event_kind::step_failed:
      if (step.phase != step_phase::calling || step.attempt != fact.attempt)
        break;
      failure.message = "the database refused what this step's answer would have written: " + refused.reason;
      failure.unknown = fact.kind == event_kind::step_succeeded || (fact.failure && fact.failure->unknown);
      fail_attempt(*fact.step, std::move(failure));
      any = true;
      break;
    case event_kind::step_compensated:
    case event_kind::compensation_attempt_failed:
    case event_kind::compensation_failed:
      if (step.undo != undo_phase::calling || step.undo_attempt != fact.attempt)
        break;
      failure.message = "the database refused what undoing this step would have written: " + refused.reason;
      fail_undo_attempt(*fact.step, std::move(failure));
      any = true;
      break;
    default:
      break;
    }
  }
  return any;
}

void decider::fail_run_directly(const events_refused& refused) {
  auto fact = make(event_kind::run_failed);
  fact.reason = "the database refused the run's events";
  fact.failure = call_failure{call_failure::kind_type::rejected, fact.reason, std::nullopt};
  if (!refused.events.empty())
    fact.reason += ", the first of them " + std::string(to_string(refused.events.front().kind));
  emit(std::move(fact));
}

// ---- what follows by itself -------------------------------------------------

void decider::conclude() {
  bool moved = true;
  while (moved) {
    switch (run_.phase) {
    case run_phase::pending:
      moved = conclude_pending();
      break;
    case run_phase::running:
      moved = conclude_running();
      break;
    case run_phase::stopping:
      moved = conclude_stopping();
      break;
    case run_phase::compensating:
      moved = conclude_compensating();
      break;
    default:
      moved = false;
    }
  }
}

bool decider::conclude_pending() {
  if (!run_.cancelling)
    return false;
  emit(make(event_kind::run_cancelled));
  return true;
}

bool decider::conclude_running() {
  if (skip_one_step())
    return true;
  bool all_succeeded = true;
  for (const auto& step : run_.steps) {
    if (!is_ended(step.phase))
      return false;
    all_succeeded = all_succeeded && step.phase == step_phase::succeeded;
  }
  emit(make(all_succeeded ? event_kind::run_completed : event_kind::run_partially_succeeded));
  return true;
}

bool decider::skip_one_step() {
  for (step_index i = 0; i < run_.steps.size(); ++i) {
    if (run_.steps[i].phase != step_phase::waiting)
      continue;
    if (auto need = unmet_need(run_, i)) {
      auto fact = make(event_kind::step_skipped, i, 0);
      bool failed = run_.steps[*need].phase == step_phase::failed;
      fact.reason = "it needs " + name_of(*need) + (failed ? ", which failed" : ", which was skipped");
      emit(std::move(fact));
      return true;
    }
  }
  return false;
}

bool decider::conclude_stopping() {
  for (const auto& step : run_.steps)
    if (step.phase == step_phase::calling)
      return false;
  const auto& policy = run_.workflow->run_retries;
  if (!run_.cancelling && run_.retry_count < policy.max) {
    auto fact = make(event_kind::run_retry_scheduled);
    fact.due_at = context_.now + run_retry_wait(policy, run_.retry_count);
    emit(std::move(fact));
    return true;
  }
  if (has_undoable_step(run_)) {
    emit(make(event_kind::compensation_started));
    return true;
  }
  return conclude_compensating();
}

bool decider::conclude_compensating() {
  for (const auto& step : run_.steps)
    if (is_open(step.undo))
      return false;
  auto fact = make(run_.cancelling ? event_kind::run_cancelled : event_kind::run_failed);
  if (!run_.cancelling)
    fact.reason = failure_reason();
  emit(std::move(fact));
  return true;
}

std::string decider::failure_reason() const {
  if (!run_.failed_step)
    return "the run failed";
  auto i = *run_.failed_step;
  // The failure is either in the state already or among this decision's own events.
  const call_failure* failure = state_.steps[i].failure ? &*state_.steps[i].failure : nullptr;
  for (const auto& fact : decision_.events)
    if (fact.kind == event_kind::step_failed && fact.step == i)
      failure = &*fact.failure;
  return plain_line(
    "step " + name_of(i) + " failed: " + (failure ? failure->message : std::string("no reason was given")));
}

// ---- the decision -----------------------------------------------------------

event decider::make(event_kind kind) const {
  event fact;
  fact.seq = run_.seq + 1;
  fact.at = context_.now;
  fact.kind = kind;
  return fact;
}

event decider::make(event_kind kind, step_index step, uint32_t attempt) const {
  auto fact = make(kind);
  fact.step = step;
  fact.attempt = attempt;
  return fact;
}

void decider::emit(event fact) {
  advance(run_, fact, &begun_);
  decision_.events.push_back(std::move(fact));
}

void decider::collect_effects() {
  for (const auto& call : begun_) {
    const auto& step = run_.steps[call.step];
    bool still_out = call.undo ? step.undo == undo_phase::calling && step.undo_attempt == call.attempt
                               : step.phase == step_phase::calling && step.attempt == call.attempt;
    if (still_out && run_.phase != run_phase::ended)
      decision_.effects.emplace_back(call);
  }
  collect_withdrawals();
}

/// What is out when the run stops or is paused, and was out before.
void decider::collect_withdrawals() {
  const bool stops = run_.phase == run_phase::stopping && state_.phase != run_phase::stopping;
  const bool pauses = run_.paused && !state_.paused && run_.phase == run_phase::running;
  if (!stops && !pauses)
    return;
  for (step_index i = 0; i < run_.steps.size(); ++i) {
    const bool out = state_.steps[i].phase == step_phase::calling && run_.steps[i].phase == step_phase::calling &&
                     state_.steps[i].attempt == run_.steps[i].attempt;
    if (out && stops && run_.workflow->steps[i].effect == call_effect::none)
      decision_.effects.emplace_back(abandon_call{i, run_.steps[i].attempt});
    else if (out)
      decision_.effects.emplace_back(withdraw_call{i, run_.steps[i].attempt, stops && run_.cancelling});
  }
}

decision decider::decide(const run_input& input) {
  std::visit([this](const auto& x) { take(x); }, input);
  if (!decision_.refusal && !decision_.events.empty())
    conclude();
  collect_effects();
  return std::move(decision_);
}

decision decide(const run_state& state, const run_input& input, const decision_context& context) {
  return decider(state, context).decide(input);
}

event accept_run(const run_plan& plan, timestamp now) {
  event fact;
  fact.seq = 1;
  fact.at = now;
  fact.kind = event_kind::run_accepted;
  fact.plan = plan;
  auto canonical = [](const std::string& text, std::string_view what) {
    auto read = canonical_json(text, what);
    if (auto* fault = std::get_if<unusable_json>(&read))
      throw std::invalid_argument(fault->message);
    return std::get<std::string>(std::move(read));
  };
  fact.plan->input = canonical(plan.input, "the input");
  if (plan.metadata) {
    fact.plan->metadata = canonical(*plan.metadata, "the metadata");
    if (fact.plan->metadata->front() != '{')
      throw std::invalid_argument("the metadata must be a JSON object");
  }
  return fact;
}

} // namespace levain
