#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "actors/run_machine/machine.hpp"
#include "actors/workflow/steps_after.hpp"

/// INTERNAL to the run machine: how events move a run along, without the texts they carry. Written once for
/// `run_state`, which `evolve` changes, and for `run_outline`, on which `decide` tries what would follow; an outline is
/// cheap to copy, since it has no outputs in it.
namespace levain {

struct run_outline : run_progress {
  explicit run_outline(const run_state& state)
    : run_progress(state)
    , workflow(state.workflow.get())
    , steps(state.steps.begin(), state.steps.end()) {}

  const workflow_definition* workflow;
  std::vector<step_progress> steps;
};

inline bool is_ended(step_phase phase) {
  return phase == step_phase::succeeded || phase == step_phase::failed || phase == step_phase::skipped;
}

/// True while the compensation of a step has something to do.
inline bool is_open(undo_phase phase) {
  return phase == undo_phase::due || phase == undo_phase::calling || phase == undo_phase::backing_off;
}

/// True for a step that is undone although its outcome is unknown.
template <class Run>
bool is_undone_in_doubt(const Run& run, step_index step) {
  return run.steps[step].unknown && run.workflow->steps[step].compensate_when == compensation_condition::attempted;
}

/// True for a step whose effect stands, or may stand, and that knows how to undo it.
template <class Run>
bool can_be_undone(const Run& run, step_index step) {
  const auto& state = run.steps[step];
  const bool stands =
    state.phase == step_phase::succeeded || (state.phase == step_phase::failed && is_undone_in_doubt(run, step));
  return stands && state.undo == undo_phase::none && run.workflow->steps[step].compensate.has_value();
}

/// True for a step that the run ended with, or would end with, without knowing whether its work was done.
template <class Run>
bool is_left_unknown(const Run& run, step_index step) {
  const auto& state = run.steps[step];
  return state.unknown && state.phase != step_phase::succeeded && state.undo != undo_phase::compensated;
}

/// For each step: whether a retry of the run undoes what it did, so that it is done anew under another key. With
/// `renews_keys` also the steps that were called before and come after one of those: what they are told changes.
template <class Run>
std::vector<bool> steps_done_anew(const Run& run, bool renews_keys) {
  std::vector<bool> undone(run.steps.size());
  for (step_index i = 0; i < run.steps.size(); ++i)
    undone[i] = run.steps[i].undo == undo_phase::compensated;
  if (!renews_keys)
    return undone;
  auto anew = undone;
  const auto after = steps_after(*run.workflow, undone);
  for (step_index i = 0; i < run.steps.size(); ++i)
    if (after[i] && run.steps[i].phase != step_phase::succeeded && run.steps[i].attempt > 0)
      anew[i] = true;
  return anew;
}

template <class Run>
bool has_undoable_step(const Run& run) {
  for (step_index i = 0; i < run.steps.size(); ++i)
    if (can_be_undone(run, i))
      return true;
  return false;
}

/// The first need of a step that will never be met, if there is one.
template <class Run>
std::optional<step_index> unmet_need(const Run& run, step_index step) {
  for (auto need : run.workflow->steps[step].needs)
    if (run.steps[need].phase == step_phase::failed || run.steps[need].phase == step_phase::skipped)
      return need;
  return std::nullopt;
}

/// True when everything the step needs has succeeded and everything it comes after has ended.
template <class Run>
bool is_free(const Run& run, step_index step) {
  const auto& definition = run.workflow->steps[step];
  auto succeeded = [&](step_index i) { return run.steps[i].phase == step_phase::succeeded; };
  auto ended = [&](step_index i) { return is_ended(run.steps[i].phase); };
  return std::all_of(definition.needs.begin(), definition.needs.end(), succeeded) &&
         std::all_of(definition.after.begin(), definition.after.end(), ended);
}

/// One event's way through a run; `advance` below says more.
template <class Run>
class advancer {
public:
  advancer(Run& run, const event& fact, std::vector<begin_call>* begun)
    : run_(run)
    , fact_(fact)
    , begun_(begun) {}

  void advance() {
    run_.seq = fact_.seq;
    run_.updated_at = fact_.at;
    switch (fact_.kind) {
    case event_kind::run_accepted:
      run_.accepted_at = fact_.at;
      break;
    case event_kind::run_started:
      run_.phase = run_phase::running;
      run_.started_at = fact_.at;
      begin_free_steps();
      break;
    case event_kind::run_paused:
      run_.paused = true;
      run_.paused_at = fact_.at;
      break;
    case event_kind::run_resumed:
      end_pause();
      begin_free_steps();
      begin_next_undo();
      break;
    case event_kind::cancel_requested:
      run_.cancelling = true;
      run_.retry_at.reset();
      end_pause();
      stop();
      break;
    case event_kind::terminate_requested:
      run_.cancelling = true;
      run_.terminated = true;
      run_.retry_at.reset();
      end_pause();
      terminate();
      break;
    case event_kind::attention_resolved:
      run_.attention_resolved = true;
      break;
    case event_kind::compensation_started:
      begin_compensation();
      break;
    case event_kind::run_retry_scheduled:
      run_.phase = run_phase::waiting_for_retry;
      run_.retry_at = fact_.due_at;
      break;
    case event_kind::run_retried:
      retry();
      begin_free_steps();
      break;
    case event_kind::run_completed:
      end(run_status::completed);
      break;
    case event_kind::run_partially_succeeded:
      end(run_status::partial_success);
      break;
    case event_kind::run_failed:
      end(run_status::failed);
      break;
    case event_kind::run_cancelled:
      end(run_status::cancelled);
      break;
    default:
      advance_step(run_.steps[*fact_.step]);
    }
  }

private:
  void advance_step(step_progress& step) {
    switch (fact_.kind) {
    case event_kind::step_succeeded:
      end_step(step, step_phase::succeeded);
      step.success_order = ++run_.successes;
      step.unknown = false;
      begin_free_steps();
      break;
    case event_kind::step_failed:
      note_outcome(*fact_.step);
      fail_step(*fact_.step);
      if (run_.workflow->steps[*fact_.step].on_failure == failure_policy::fail && run_.phase == run_phase::running) {
        run_.failed_step = fact_.step;
        stop();
      }
      begin_free_steps();
      break;
    case event_kind::step_skipped:
      end_step(step, step_phase::skipped);
      begin_free_steps();
      break;
    case event_kind::attempt_failed:
      note_outcome(*fact_.step);
      step.phase = step_phase::backing_off;
      step.next_attempt_at = fact_.due_at;
      break;
    case event_kind::attempt_withdrawn:
      withdraw_attempt(*fact_.step);
      begin_free_steps();
      break;
    case event_kind::delivery_lost:
      ++step.deliveries_lost;
      break;
    case event_kind::attempt_started:
      begin_attempt(*fact_.step);
      break;
    case event_kind::compensation_attempt_failed:
      step.undo = undo_phase::backing_off;
      step.next_undo_at = fact_.due_at;
      break;
    case event_kind::compensation_attempt_started:
      begin_undo_attempt(*fact_.step);
      break;
    case event_kind::step_compensated:
      end_undo(step, undo_phase::compensated);
      begin_next_undo();
      break;
    case event_kind::compensation_failed:
      end_undo(step, undo_phase::failed);
      begin_next_undo();
      break;
    default: // the others are about the run
      break;
    }
  }

  void begin_free_steps() {
    if (run_.phase != run_phase::running)
      return;
    for (step_index i = 0; i < run_.steps.size(); ++i) {
      auto& step = run_.steps[i];
      if (step.phase == step_phase::waiting && is_free(run_, i))
        step.phase = step_phase::ready;
      if (step.phase == step_phase::ready && !run_.paused) {
        step.started_at = fact_.at;
        step.started_seq = fact_.seq;
        begin_attempt(i);
      }
    }
  }

  void begin_attempt(step_index i) {
    auto& step = run_.steps[i];
    step.phase = step_phase::calling;
    ++step.attempt;
    ++step.attempts_in_round;
    step.attempt_started_at = fact_.at;
    step.next_attempt_at.reset();
    step.deliveries_lost = 0;
    if (begun_)
      begun_->push_back({i, step.attempt, false});
  }

  /// The attempt has never begun, so it does not count.
  void withdraw_attempt(step_index i) {
    auto& step = run_.steps[i];
    --step.attempt;
    --step.attempts_in_round;
    step.attempt_started_at.reset();
    if (step.attempts_in_round > 0) {
      // An earlier attempt has failed: it waits for the next one as before, which is overdue.
      if (run_.phase == run_phase::running) {
        step.phase = step_phase::backing_off;
        step.next_attempt_at = fact_.at;
      } else {
        fail_step(i);
      }
      return;
    }
    step.phase = run_.phase == run_phase::running ? step_phase::ready : step_phase::waiting;
    step.started_at.reset();
    step.started_seq = 0;
  }

  /// What a failure leaves unknown stays so until a later attempt under the same key succeeds.
  void note_outcome(step_index i) {
    if (fact_.failure && fact_.failure->unknown && run_.workflow->steps[i].effect == call_effect::external)
      run_.steps[i].unknown = true;
  }

  void fail_step(step_index i) {
    auto& step = run_.steps[i];
    end_step(step, step_phase::failed);
    if (is_undone_in_doubt(run_, i) && run_.workflow->steps[i].compensate)
      step.success_order = ++run_.successes;
  }

  void end_step(step_progress& step, step_phase phase) {
    step.phase = phase;
    step.ended_at = fact_.at;
    step.ended_seq = fact_.seq;
    step.next_attempt_at.reset();
  }

  /// Nothing new begins any more; what backs off is given up.
  void stop() {
    if (run_.phase != run_phase::pending)
      run_.phase = run_phase::stopping;
    for (step_index i = 0; i < run_.steps.size(); ++i)
      if (run_.steps[i].phase == step_phase::backing_off)
        fail_step(i);
  }

  /// Nothing is awaited and nothing more is undone: what was out has an unknown outcome, what stands is left standing.
  void terminate() {
    stop();
    give_up_calls(true);
    give_up_undoing();
  }

  void give_up_calls(bool unknown) {
    for (step_index i = 0; i < run_.steps.size(); ++i) {
      auto& step = run_.steps[i];
      if (step.phase != step_phase::calling && step.phase != step_phase::backing_off)
        continue;
      if (unknown && step.phase == step_phase::calling && run_.workflow->steps[i].effect == call_effect::external)
        step.unknown = true;
      fail_step(i);
    }
  }

  void give_up_undoing() {
    for (step_index i = 0; i < run_.steps.size(); ++i)
      if (can_be_undone(run_, i) || is_open(run_.steps[i].undo))
        end_undo(run_.steps[i], undo_phase::failed);
  }

  void end_pause() {
    run_.paused = false;
    run_.paused_at.reset();
  }

  void end(run_status status) {
    run_.phase = run_phase::ended;
    run_.ended_as = status;
    run_.ended_at = fact_.at;
    end_pause();
    if (status != run_status::failed)
      return;
    const auto& policy = run_.workflow->run_retries;
    if (policy.max > 0 && run_.retry_count >= policy.max)
      run_.max_retries_reached = true;
    // A run fails with something in hand only when the journal refused its events.
    give_up_calls(true);
    give_up_undoing();
  }

  void retry() {
    ++run_.retry_count;
    run_.phase = run_phase::running;
    run_.retry_at.reset();
    run_.ended_at.reset();
    run_.ended_as.reset();
    run_.failed_step.reset();
    const bool resolved = std::exchange(run_.attention_resolved, false);
    if (!run_.started_at)
      run_.started_at = fact_.at;
    const auto done_anew = steps_done_anew(run_, fact_.renews_keys);
    for (step_index i = 0; i < run_.steps.size(); ++i) {
      auto& step = run_.steps[i];
      step.undo = undo_phase::none;
      // A person has found out what became of it.
      step.unknown = step.unknown && !resolved;
      step.undo_attempts_in_round = 0;
      step.undo_started_at.reset();
      step.undo_attempt_started_at.reset();
      step.undo_ended_at.reset();
      if (done_anew[i]) {
        ++step.redo;
        step.success_order = 0;
        step.unknown = false;
      } else if (step.phase == step_phase::succeeded) {
        continue;
      }
      step.phase = step_phase::waiting;
      step.success_order = 0;
      step.attempts_in_round = 0;
      step.started_at.reset();
      step.attempt_started_at.reset();
      step.ended_at.reset();
      step.started_seq = 0;
      step.ended_seq = 0;
    }
  }

  void begin_undo_attempt(step_index i) {
    auto& step = run_.steps[i];
    step.undo = undo_phase::calling;
    step.deliveries_lost = 0;
    ++step.undo_attempt;
    ++step.undo_attempts_in_round;
    if (!step.undo_started_at)
      step.undo_started_at = fact_.at;
    step.undo_attempt_started_at = fact_.at;
    step.next_undo_at.reset();
    if (begun_)
      begun_->push_back({i, step.undo_attempt, true});
  }

  void end_undo(step_progress& step, undo_phase phase) {
    step.undo = phase;
    step.undo_ended_at = fact_.at;
    step.next_undo_at.reset();
  }

  /// One step is undone at a time: the one that succeeded last.
  void begin_next_undo() {
    if (run_.phase != run_phase::compensating || run_.paused)
      return;
    std::optional<step_index> next;
    for (step_index i = 0; i < run_.steps.size(); ++i) {
      const auto& step = run_.steps[i];
      if (step.undo == undo_phase::calling || step.undo == undo_phase::backing_off)
        return;
      if (step.undo == undo_phase::due && (!next || step.success_order > run_.steps[*next].success_order))
        next = i;
    }
    if (next)
      begin_undo_attempt(*next);
  }

  void begin_compensation() {
    run_.phase = run_phase::compensating;
    for (step_index i = 0; i < run_.steps.size(); ++i)
      if (can_be_undone(run_, i))
        run_.steps[i].undo = undo_phase::due;
    begin_next_undo();
  }

  Run& run_;
  const event& fact_;
  std::vector<begin_call>* begun_;
};

/// Moves a run along by one event that can follow its state, with everything the event implies. Calls that begin are
/// added to `begun`, unless it is null.
template <class Run>
void advance(Run& run, const event& fact, std::vector<begin_call>* begun) {
  advancer<Run>(run, fact, begun).advance();
}

} // namespace levain
