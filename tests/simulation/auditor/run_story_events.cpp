#include "tests/simulation/auditor/run_story.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace levain::simulation {

namespace {

using nlohmann::json;
using step_at = step_story::stage_type;
using undo_at = step_story::undo_type;

/// Times pass through texts with six decimals and waits through floating point.
constexpr duration wait_tolerance = std::chrono::microseconds(2);
/// A service cannot make a run wait longer by what it asks for.
constexpr duration asked_wait_max = std::chrono::hours(1);

run_story::fault fault_of(rule broken, std::string text) {
  return {broken, std::move(text)};
}

bool may_be_tried_again(const std::string& failure) {
  return failure == "retryable" || failure == "timeout";
}

} // namespace

// ---- events -----------------------------------------------------------------

std::optional<run_story::fault> run_story::follow(const event_record& event, const event_told& told, timestamp now) {
  now_ = now;
  std::optional<fault> found;
  if (event.seq != seq + 1)
    found =
      fault_of(rule::journal_sequence, "event " + std::to_string(event.seq) + " follows event " + std::to_string(seq));
  seq = event.seq;
  updated_at = event.at;
  std::optional<fault> more;
  if (terminated_at && stage != stage_type::ended && event.kind != event_kind::run_cancelled)
    more = fault_of(
      rule::terminate_is_final, std::string(levain::to_string(event.kind)) + " follows the termination of the run");
  if (!more)
    more = after_the_end(event, told);
  if (!more)
    more = event.step.empty() ? follow_run(event, told) : follow_step(event, told);
  return found ? found : more;
}

std::optional<run_story::fault> run_story::after_the_end(const event_record& event, const event_told& told) const {
  const bool retried = event.kind == event_kind::run_retried && !told.by.empty();
  if (stage != stage_type::ended || retried || event.kind == event_kind::attention_resolved)
    return std::nullopt;
  return fault_of(
    resolved ? rule::resolved_is_settled : rule::one_end,
    std::string(levain::to_string(event.kind)) + " follows the end, event " + std::to_string(event.seq - 1));
}

/// Everything is over at once; what it left standing is for people to see to.
std::optional<run_story::fault> run_story::follow_termination(timestamp at) {
  cancelling = true;
  terminated_at = now_;
  paused = false;
  retry_due.reset();
  stop(at);
  give_up_what_is_left(at);
  return std::nullopt;
}

std::optional<run_story::fault> run_story::follow_resolution() {
  std::optional<fault> found;
  if (stage != stage_type::ended || (ended_as != run_status::failed && !needs_attention()))
    found = fault_of(rule::journal_order, "attention_resolved cannot follow: the run needs nobody");
  else if (resolved)
    found = fault_of(rule::resolved_is_settled, "what was resolved is resolved again");
  resolved = true;
  for (auto& step : steps)
    step.left_behind = step.unknown_before = false;
  return found;
}

std::optional<run_story::fault> run_story::follow_run(const event_record& event, const event_told& told) {
  const auto cannot = [&](const char* why) {
    return fault_of(rule::journal_order, std::string(levain::to_string(event.kind)) + " cannot follow: " + why);
  };
  switch (event.kind) {
  case event_kind::run_started:
    if (stage != stage_type::pending || cancelling)
      return cannot("the run is not pending");
    stage = stage_type::running;
    started_at = event.at;
    begin_free(event.at);
    return std::nullopt;
  case event_kind::run_paused:
    if (std::exchange(paused, true))
      return cannot("the run is paused");
    return std::nullopt;
  case event_kind::run_resumed:
    if (!std::exchange(paused, false))
      return cannot("the run is not paused");
    begin_free(event.at);
    begin_next_undo();
    return std::nullopt;
  case event_kind::cancel_requested: {
    const bool may = !cancelling && (stage == stage_type::pending || stage == stage_type::running ||
                                     stage == stage_type::waiting_for_retry);
    cancelling = true;
    cancelled_at = now_;
    paused = false;
    retry_due.reset();
    stop(event.at);
    return may ? std::nullopt : std::optional(cannot("the run cannot be cancelled any more"));
  }
  case event_kind::terminate_requested:
    return follow_termination(event.at);
  case event_kind::attention_resolved:
    return follow_resolution();
  case event_kind::compensation_started: {
    const bool may = stage == stage_type::stopping && !any_out() && any_to_undo() &&
                     (cancelling || retry_count >= workflow->run_retries_max);
    stage = stage_type::compensating;
    for (auto& step : steps)
      if (step.is_to_be_undone())
        step.undo = undo_at::due;
    begin_next_undo();
    return may ? std::nullopt
               : std::optional(fault_of(
                   rule::compensation_order, "compensation begins though a call is out, nothing is to be undone or the "
                                             "run has neither failed for good nor been cancelled"));
  }
  case event_kind::run_retry_scheduled: {
    const bool may = stage == stage_type::stopping && !cancelling && !any_out();
    stage = stage_type::waiting_for_retry;
    retry_due = told.due_at;
    if (!may)
      return cannot("no failure has stopped the run");
    if (retry_count >= workflow->run_retries_max)
      return fault_of(rule::attempts_bounded, "a retry of the run is scheduled though all are used up");
    return check_wait(workflow->run_retry_wait, retry_count + 1, false, event, told);
  }
  case event_kind::run_retried:
    return follow_retry(event, told);
  case event_kind::run_completed:
  case event_kind::run_partially_succeeded:
  case event_kind::run_failed:
  case event_kind::run_cancelled:
    return follow_end(event, told);
  default:
    return cannot("it is an event about a step and names none, or accepts a run again");
  }
}

std::optional<run_story::fault> run_story::follow_retry(const event_record& event, const event_told& told) {
  std::optional<fault> found;
  const bool by_person = !told.by.empty();
  if (stage == stage_type::ended) {
    if (ended_as != run_status::failed && ended_as != run_status::partial_success)
      found = fault_of(rule::one_end, "a run that completed or was cancelled is retried");
  } else if (stage != stage_type::waiting_for_retry) {
    found = fault_of(rule::journal_order, "run_retried cannot follow: the run does not wait for a retry");
  } else if (!by_person && paused) {
    found = fault_of(rule::pause_holds, "the run is retried while it is paused");
  } else if (!by_person && (!retry_due || event.at < *retry_due)) {
    found = fault_of(rule::backoff_kept, "the run is retried at " + to_rfc3339(event.at) + ", before it is due");
  }
  ++retry_count;
  stage = stage_type::running;
  retry_due.reset();
  ended_at.reset();
  ended_as.reset();
  failed_step = false;
  refused_end = false;
  // A person has found out what became of what was left.
  const bool seen_to = std::exchange(resolved, false);
  if (!started_at)
    started_at = event.at;
  // What is called again after something that it comes after is done anew has another key.
  std::set<std::string> anew;
  for (const auto& step : steps)
    if (step.undo == undo_at::undone)
      anew.insert(step.known->name);
  std::set<std::string> also_anew;
  for (const auto& step : steps)
    if (step.stage != step_at::succeeded && step.attempt > 0)
      for (const auto& name : earlier_than(step.known->name))
        if (anew.contains(name))
          also_anew.insert(step.known->name);
  anew.merge(also_anew);
  for (auto& step : steps) {
    const bool undone = anew.contains(step.known->name);
    step.unknown_before = step.unknown_before || (undone && step.is_left_unknown() && !seen_to);
    step.left_behind = step.left_behind || (step.undo == undo_at::failed && !seen_to);
    step.unknown = step.unknown && !seen_to;
    step.undo = undo_at::none;
    step.undo_attempts_in_round = 0;
    if (undone) {
      ++step.redo;
      step.unknown = false;
      step.rank = 0;
    } else if (step.stage == step_at::succeeded) {
      continue;
    }
    step.stage = step_at::waiting;
    step.rank = 0;
    step.attempts_in_round = 0;
    step.began.reset();
    step.ended.reset();
    step.output.reset();
  }
  begin_free(event.at);
  return found;
}

std::optional<run_story::fault> run_story::follow_end(const event_record& event, const event_told& told) {
  std::optional<fault> found;
  const auto cannot = [&](rule broken, const char* why) {
    found = fault_of(broken, std::string(levain::to_string(event.kind)) + " cannot follow: " + why);
  };
  const auto all = [&](auto predicate) { return std::all_of(steps.begin(), steps.end(), predicate); };
  const bool all_succeeded = all([](const step_story& each) { return each.stage == step_at::succeeded; });
  const bool wound_up = (stage == stage_type::stopping || stage == stage_type::compensating) && !any_out() &&
                        (cancelling || retry_count >= workflow->run_retries_max);
  const bool undone = !any_to_undo() && all([](const step_story& each) { return !each.is_being_undone(); });
  refused_end = event.kind == event_kind::run_failed && told.failure == "rejected";
  switch (event.kind) {
  case event_kind::run_completed:
    ended_as = run_status::completed;
    if (stage != stage_type::running || !all_succeeded)
      cannot(rule::journal_order, "not every step has succeeded");
    break;
  case event_kind::run_partially_succeeded:
    ended_as = run_status::partial_success;
    if (stage != stage_type::running || all_succeeded || !all([](const step_story& each) { return each.has_ended(); }))
      cannot(rule::journal_order, "not every step has ended, or all have succeeded");
    break;
  case event_kind::run_failed:
    ended_as = run_status::failed;
    if (refused_end)
      break;
    if (!wound_up || cancelling)
      cannot(rule::journal_order, "no failure has stopped the run, or something is out");
    else if (!undone)
      cannot(rule::compensation_complete, "something is left to be undone");
    break;
  default:
    ended_as = run_status::cancelled;
    if (!cancelling || (stage != stage_type::pending && !wound_up))
      cannot(rule::journal_order, "nobody cancelled the run, or something is out");
    else if (!undone)
      cannot(rule::compensation_complete, "something is left to be undone");
  }
  stage = stage_type::ended;
  ended_at = event.at;
  paused = false;
  if (ended_as != run_status::failed)
    return found;
  if (workflow->run_retries_max > 0 && retry_count >= workflow->run_retries_max)
    max_retries_reached = true;
  give_up_what_is_left(event.at);
  return found;
}

std::optional<run_story::fault> run_story::follow_step(const event_record& event, const event_told& told) {
  auto* step = own_step(event.step);
  const auto cannot = [&](const char* why) {
    return fault_of(
      rule::journal_order, std::string(levain::to_string(event.kind)) + " of " + event.step + ", attempt " +
                             std::to_string(event.attempt) + " cannot follow: " + why);
  };
  if (step == nullptr)
    return fault_of(rule::version_pinned, "the workflow that the run is pinned to has no step " + event.step);
  const auto attempt = static_cast<uint32_t>(event.attempt);
  const bool out = step->stage == step_at::out && step->attempt == attempt;
  switch (event.kind) {
  case event_kind::step_succeeded:
    begun[{event.step, attempt, false}].over = true;
    end_step(*step, step_at::succeeded, event.at);
    step->unknown = false;
    step->rank = ++successes;
    step->output = std::make_shared<json>(told.body.value("output", json()));
    begin_free(event.at);
    return out ? std::nullopt : std::optional(cannot("no such attempt is out"));
  case event_kind::attempt_failed: {
    auto found = out ? follow_attempt_failure(*step, event, told) : cannot("no such attempt is out");
    begun[{event.step, attempt, false}].over = true;
    note_outcome(*step, told);
    step->stage = step_at::backing_off;
    step->due = told.due_at;
    return found;
  }
  case event_kind::step_failed: {
    std::optional<fault> found;
    if (!out)
      found = cannot("no such attempt is out");
    else if (
      stage == stage_type::running && may_be_tried_again(told.failure) &&
      step->attempts_in_round < step->known->attempts_max)
      found = cannot("its policy allows another attempt");
    begun[{event.step, attempt, false}].over = true;
    note_outcome(*step, told);
    fail_step(*step, event.at);
    if (!step->known->continues && stage == stage_type::running) {
      failed_step = true;
      stop(event.at);
    }
    begin_free(event.at);
    return found;
  }
  case event_kind::attempt_withdrawn: {
    const bool may = out && step->attempts_in_round > 0;
    if (may)
      withdraw(*step, event.at);
    return may ? std::nullopt : std::optional(cannot("no such attempt is out"));
  }
  case event_kind::delivery_lost: {
    const bool undo_out = step->undo == undo_at::out && step->undo_attempt == attempt;
    return out || undo_out ? std::nullopt : std::optional(cannot("no such attempt is out"));
  }
  case event_kind::attempt_started: {
    std::optional<fault> found;
    if (step->stage != step_at::backing_off || attempt != step->attempt + 1 || stage != stage_type::running)
      found = cannot("the step does not wait for it");
    else if (paused)
      found = fault_of(rule::pause_holds, "an attempt of " + event.step + " begins while the run is paused");
    else if (!step->due || event.at < *step->due)
      found = fault_of(rule::backoff_kept, "an attempt of " + event.step + " begins before it is due");
    step->attempt = attempt - 1;
    begin(*step, event.at);
    return found;
  }
  case event_kind::step_skipped: {
    const bool waits = step->stage == step_at::waiting || step->stage == step_at::held;
    const bool hopeless =
      std::any_of(step->known->needs.begin(), step->known->needs.end(), [&](const std::string& name) {
        const auto* need = find(name);
        return need->stage == step_at::failed || need->stage == step_at::skipped;
      });
    end_step(*step, step_at::skipped, event.at);
    begin_free(event.at);
    return waits && hopeless && stage == stage_type::running ? std::nullopt
                                                             : std::optional(cannot("nothing it needs is lost"));
  }
  default:
    return follow_undo(*step, event, told);
  }
}

void run_story::note_outcome(step_story& step, const event_told& told) {
  step.unknown = step.unknown || (told.body.value("unknown", false) && !step.known->effect_none);
}

std::optional<run_story::fault>
run_story::follow_attempt_failure(step_story& step, const event_record& event, const event_told& told) {
  if (stage != stage_type::running)
    return fault_of(rule::journal_order, "attempt_failed of " + event.step + " though the run stops");
  if (!may_be_tried_again(told.failure))
    return fault_of(rule::journal_order, "a failure of the kind " + told.failure + " is to be tried again");
  if (step.attempts_in_round >= step.known->attempts_max)
    return fault_of(
      rule::attempts_bounded, event.step + " is to be tried again after " + std::to_string(step.attempts_in_round) +
                                " attempts of at most " + std::to_string(step.known->attempts_max));
  return check_wait(step.known->retry_wait, step.attempts_in_round, true, event, told);
}

std::optional<run_story::fault>
run_story::follow_undo(step_story& step, const event_record& event, const event_told& told) {
  const auto cannot = [&](const char* why) {
    return fault_of(
      rule::compensation_order, std::string(levain::to_string(event.kind)) + " of " + event.step + ", attempt " +
                                  std::to_string(event.attempt) + " cannot follow: " + why);
  };
  const auto attempt = static_cast<uint32_t>(event.attempt);
  std::optional<fault> found;
  if (event.kind == event_kind::compensation_attempt_started) {
    if (step.undo != undo_at::backing_off || attempt != step.undo_attempt + 1)
      found = cannot("the step does not wait for it");
    else if (paused)
      found = fault_of(rule::pause_holds, "an attempt to undo " + event.step + " begins while the run is paused");
    else if (!step.undo_due || event.at < *step.undo_due)
      found = fault_of(rule::backoff_kept, "an attempt to undo " + event.step + " begins before it is due");
    step.undo_attempt = attempt - 1;
    begin_undo(step);
    return found;
  }
  if (step.undo != undo_at::out || step.undo_attempt != attempt)
    found = cannot("no such attempt is out");
  begun[{event.step, attempt, true}].over = true;
  if (event.kind == event_kind::compensation_attempt_failed) {
    step.undo = undo_at::backing_off;
    step.undo_due = told.due_at;
    if (found)
      return found;
    if (!may_be_tried_again(told.failure))
      return cannot("a failure of its kind is not tried again");
    if (step.undo_attempts_in_round >= step.known->undo_attempts_max)
      return fault_of(rule::attempts_bounded, "undoing " + event.step + " is tried more often than its policy allows");
    return check_wait(step.known->undo_retry_wait, step.undo_attempts_in_round, true, event, told);
  }
  if (
    !found && event.kind == event_kind::compensation_failed && may_be_tried_again(told.failure) &&
    step.undo_attempts_in_round < step.known->undo_attempts_max)
    found = cannot("its policy allows another attempt");
  step.undo = event.kind == event_kind::step_compensated ? undo_at::undone : undo_at::failed;
  if (step.undo == undo_at::undone)
    step.left_behind = false;
  begin_next_undo();
  return found;
}

std::optional<run_story::fault> run_story::check_wait(
  const wait_known& wait, uint32_t tries, bool jittered, const event_record& event, const event_told& told) const {
  if (!told.due_at)
    return fault_of(rule::backoff_kept, std::string(levain::to_string(event.kind)) + " does not say when it goes on");
  const auto longest = static_cast<double>(wait.max_interval.count());
  const auto plain = std::min(
    static_cast<double>(wait.initial_interval.count()) * std::pow(wait.backoff, static_cast<double>(tries) - 1),
    longest);
  const auto share = jittered ? wait.jitter : 0;
  auto least = duration(static_cast<duration::rep>(plain * (1 - share)));
  auto most = duration(static_cast<duration::rep>(std::min(plain * (1 + share), longest)));
  if (const auto asked = told.body.value("retry_after_us", int64_t{0}); asked > 0) {
    const auto held = std::min(duration(asked), asked_wait_max);
    least = std::max(least, held);
    most = std::max(most, held);
  }
  const auto waits = *told.due_at - event.at;
  if (waits + wait_tolerance >= least && waits <= most + wait_tolerance)
    return std::nullopt;
  return fault_of(
    rule::backoff_kept, std::string(levain::to_string(event.kind)) + " " + event.step + " waits " +
                          std::to_string(waits.count()) + " us, the policy says " + std::to_string(least.count()) +
                          " to " + std::to_string(most.count()));
}

} // namespace levain::simulation
