#include "actors/run_machine/explain.hpp"

#include <algorithm>

#include "actors/run_machine/call_place.hpp"
#include "actors/run_machine/progress.hpp"
#include "actors/workflow/parse_definition.hpp"

namespace levain {

namespace {

/// Builds one explanation from one state.
class explainer {
public:
  explainer(const run_state& state, const explain_context& context)
    : state_(state)
    , context_(context) {}

  explanation explain() {
    explanation_.summary = summarise();
    if (state_.paused)
      wait(
        "pause", {},
        "the run is paused" + by(state_.paused_by) + since(state_.paused_at) +
          "; nothing new begins before it is resumed",
        state_.paused_at, std::nullopt);
    if (state_.phase == run_phase::pending)
      wait("slot", {}, "the run waits for a slot since " + clock(state_.accepted_at), state_.accepted_at, std::nullopt);
    if (state_.phase == run_phase::waiting_for_retry)
      explain_run_retry();
    for (step_index i = 0; i < state_.steps.size(); ++i) {
      explain_step(i);
      explain_undo(i);
    }
    if (state_.phase == run_phase::ended)
      wait("nothing", {}, "the run has ended; it waits for nothing", state_.ended_at, std::nullopt);
    if (const auto attention = audit_of(state_).attention)
      wait("attention", {}, "a person has to look at it: " + *attention, std::nullopt, std::nullopt);
    return std::move(explanation_);
  }

private:
  std::string clock(timestamp at) const { return clock_text(at, context_.now); }

  timestamp comes_at(timestamp due) const {
    const auto found = std::ranges::find(context_.comes_at, due, &std::pair<timestamp, timestamp>::first);
    return found == context_.comes_at.end() ? due : found->second;
  }

  std::string since(const std::optional<timestamp>& at) const { return at ? " since " + clock(*at) : std::string(); }

  static std::string by(const std::string& who) { return who.empty() ? std::string() : " by " + who; }

  static std::string because(const std::optional<call_failure>& failure) {
    return failure ? ": " + failure->message + " (" + std::string(to_string(failure->kind)) + ")" : std::string();
  }

  const std::string& name(step_index i) const { return state_.workflow->steps[i].name; }

  void wait(
    std::string kind, std::string step, std::string text, std::optional<timestamp> from,
    std::optional<timestamp> until) {
    explanation_.waits.push_back({std::move(kind), std::move(step), std::move(text), from, until});
  }

  std::string stop_cause() const {
    if (state_.cancelling) {
      auto text = "it is being cancelled" + by(*state_.cancelled_by);
      return state_.cancel_reason.empty() ? text : text + " (" + state_.cancel_reason + ")";
    }
    if (state_.failed_step)
      return "step " + name(*state_.failed_step) + " failed" + because(state_.steps[*state_.failed_step].failure);
    return "a step failed";
  }

  std::string counted() const {
    size_t succeeded = 0;
    for (const auto& step : state_.steps)
      succeeded += step.phase == step_phase::succeeded;
    return std::to_string(succeeded) + " of " + std::to_string(state_.steps.size()) + " steps have succeeded";
  }

  std::string summarise() const {
    switch (state_.phase) {
    case run_phase::pending:
      return "the run is accepted and has not begun";
    case run_phase::running:
      return std::string(state_.paused ? "the run is paused; " : "the run is running; ") + counted();
    case run_phase::waiting_for_retry:
      return "the run waits to be tried again, because " + stop_cause();
    case run_phase::stopping:
      return "the run is stopping, because " + stop_cause();
    case run_phase::compensating:
      return "the run undoes what it did, because " + stop_cause();
    case run_phase::ended:
      break;
    }
    return summarise_end();
  }

  std::string summarise_end() const {
    auto at = state_.ended_at ? " at " + clock(*state_.ended_at) : std::string();
    switch (state_.ended_as.value_or(run_status::failed)) {
    case run_status::completed:
      return "the run completed" + at;
    case run_status::partial_success:
      return "the run ended in partial success" + at + "; " + counted();
    case run_status::cancelled:
      return std::string(state_.terminated ? "the run was terminated" : "the run was cancelled") +
             by(state_.cancelled_by.value_or("")) +
             (state_.cancel_reason.empty() ? std::string() : " (" + state_.cancel_reason + ")") + at;
    default:
      return "the run failed" + at + ": " + state_.end_reason;
    }
  }

  void explain_run_retry() {
    if (!state_.retry_at)
      return;
    const auto due = comes_at(*state_.retry_at);
    wait(
      "run_retry", {},
      "retry " + std::to_string(state_.retry_count + 1) + " of at most " +
        std::to_string(state_.workflow->run_retries.max) + " is due at " + clock(due) + ", because " + stop_cause(),
      state_.updated_at, due);
  }

  /// A call that the journal says is out.
  void explain_call(const begin_call& call, timestamp began_at, duration timeout, const std::string& goal) {
    const auto place = call_place(state_, call.step, call.undo, context_.variables);
    auto text = "step " + name(call.step) + ": attempt " + std::to_string(call.attempt) + goal + ", " + place;
    const auto kind = call.undo ? "compensation" : "call";
    std::optional<timestamp> until;
    if (context_.in_hand) {
      const auto hand = std::find_if(
        context_.in_hand->begin(), context_.in_hand->end(), [&](const call_in_hand& x) { return x.call == call; });
      if (hand == context_.in_hand->end()) {
        wait(
          "database", name(call.step), text + ", begins once what it follows from is in the database", std::nullopt,
          std::nullopt);
        explanation_.waits.back().place = place;
        return;
      }
      if (!hand->wanting.empty()) {
        const auto& definition = state_.workflow->steps[call.step];
        const auto& spec = call.undo ? definition.compensate->call : definition.call;
        const auto* what = std::holds_alternative<worker_call>(spec) ? "worker" : "variable";
        wait(what, name(call.step), text + ", " + hand->wanting, began_at, std::nullopt);
        explanation_.waits.back().place = place;
        return;
      }
      // The call has all its time from when its work may begin, and again where it was taken over.
      until = hand->in_flight_since.value_or(hand->began_at) + timeout;
      if (hand->worker && hand->worker->waiting)
        return explain_wait_for_worker(call, *hand, std::move(text), place);
      if (hand->waits && !hand->worker)
        return explain_queued_call(call, *hand, std::move(text), place);
      if (hand->queued > duration(0) && hand->in_flight_since && !hand->worker) {
        began_at = *hand->in_flight_since;
        text += ", is at work since " + clock(began_at) + after_wait(*hand);
      } else {
        text += ", is out since " + clock(began_at);
      }
      if (hand->taken_up)
        text += " and was made again at " + clock(hand->began_at) + ", when the run was taken up";
      if (hand->worker)
        return explain_worker_call(call, *hand, *until, began_at, std::move(text), place);
    } else {
      until = began_at + timeout;
      text += ", is out since " + clock(began_at);
    }
    wait(kind, name(call.step), text + "; its deadline is " + clock(*until), began_at, until);
    explanation_.waits.back().place = place;
  }

  std::optional<duration> queue_timeout_of(const begin_call& call) const {
    const auto& definition = state_.workflow->steps[call.step];
    return call.undo ? definition.compensate->queue_timeout : definition.queue_timeout;
  }

  /// How long a call may wait; says so when there is a limit.
  std::optional<timestamp> queue_until(const begin_call& call, const call_in_hand& hand, std::string& text) const {
    const auto limit = queue_timeout_of(call);
    if (!limit) {
      text += "; it waits as long as that takes (queue_timeout is not set)";
      return std::nullopt;
    }
    const auto until = hand.began_at + *limit;
    text += "; it waits until " + clock(until) + " (queue_timeout)";
    return until;
  }

  /// A call that waits for its turn within this node.
  void
  explain_queued_call(const begin_call& call, const call_in_hand& hand, std::string text, const std::string& place) {
    text += ", waits since " + clock(hand.began_at) + " for its turn among the calls of this node" + hand.for_room;
    const auto until = queue_until(call, hand, text);
    wait("queue", name(call.step), std::move(text), hand.began_at, until);
    explanation_.waits.back().place = place;
  }

  static std::string after_wait(const call_in_hand& hand) {
    return hand.queued > duration(0) ? ", after it waited " + format_duration(hand.queued) : std::string();
  }

  static std::string deliveries_text(const worker_call_view& view) {
    std::string text;
    if (view.deliveries > 1)
      text += ", given out " + std::to_string(view.deliveries) + " times";
    if (!view.lost_workers.empty()) {
      text += ", lost with worker";
      for (const auto& each : view.lost_workers)
        text += (&each == &view.lost_workers.front() ? " '" : ", '") + each + "'";
    }
    return text;
  }

  void explain_wait_for_worker(
    const begin_call& call, const call_in_hand& hand, std::string text, const std::string& place) {
    const auto& view = *hand.worker;
    const auto& definition = state_.workflow->steps[call.step];
    const auto& spec = std::get<worker_call>(call.undo ? definition.compensate->call : definition.call);
    const auto why = view.offered ? busy_workers_message(spec.kind) : no_worker_message(spec.kind);
    text += ", waits since " + clock(hand.began_at) + " for a worker: " + why + deliveries_text(view);
    const auto until = queue_until(call, hand, text);
    wait("worker", name(call.step), std::move(text), hand.began_at, until);
    explanation_.waits.back().place = place;
  }

  /// A call that a worker has.
  void explain_worker_call(
    const begin_call& call, const call_in_hand& hand, timestamp until, timestamp began_at, std::string text,
    const std::string& place) {
    const auto& view = *hand.worker;
    text += ", with worker '" + view.worker + "'" + since(view.given_at) + after_wait(hand) + deliveries_text(view);
    if (view.progress_at)
      text += ", which said at " + clock(*view.progress_at) + ": " + view.progress;
    const auto kind = call.undo ? "compensation" : "call";
    wait(kind, name(call.step), text + "; its deadline is " + clock(until), began_at, until);
    explanation_.waits.back().place = place;
    explanation_.waits.back().progress = view.progress;
  }

  /// An attempt that has a time, and the failure of the one before it.
  void explain_due(
    const begin_call& next, timestamp due_at, const std::optional<timestamp>& last, const call_spec& call,
    const std::optional<call_failure>& failure) {
    const auto due = comes_at(due_at);
    const std::string goal = next.undo ? " to undo it" : "";
    const auto begin = "step " + name(next.step) + ": ";
    const auto attempt = "attempt " + std::to_string(next.attempt) + goal + " is due at " + clock(due);
    if (failure && is_without_worker(call, *failure))
      wait("worker", name(next.step), begin + failure->message + "; " + attempt, last, due);
    else
      wait(
        next.undo ? "compensation_retry" : "retry", name(next.step),
        begin + attempt + ", because attempt " + std::to_string(next.attempt - 1) + " failed" + because(failure), last,
        due);
    explanation_.waits.back().place = call_place(state_, next.step, next.undo, context_.variables);
  }

  void explain_step(step_index i) {
    const auto& step = state_.steps[i];
    const auto& definition = state_.workflow->steps[i];
    if (step.phase == step_phase::calling) {
      explain_call({i, step.attempt, false}, *step.attempt_started_at, definition.timeout, "");
    } else if (step.phase == step_phase::backing_off && step.next_attempt_at) {
      explain_due(
        {i, step.attempt + 1, false}, *step.next_attempt_at, step.attempt_started_at, definition.call, step.failure);
    } else if (step.phase == step_phase::waiting && state_.phase == run_phase::running) {
      explain_waiting_step(i, "step " + name(i) + ": ");
    } else if (step.phase == step_phase::ready && state_.phase == run_phase::running) {
      wait("pause", name(i), "step " + name(i) + ": nothing but the pause keeps it", state_.paused_at, std::nullopt);
    }
  }

  void explain_waiting_step(step_index i, const std::string& begin) {
    const auto& definition = state_.workflow->steps[i];
    std::string names;
    auto add = [&](step_index other) {
      names += names.empty() ? "" : ", ";
      names += name(other);
    };
    for (auto need : definition.needs)
      if (state_.steps[need].phase != step_phase::succeeded)
        add(need);
    for (auto earlier : definition.after)
      if (!is_ended(state_.steps[earlier].phase))
        add(earlier);
    wait("steps", name(i), begin + "waits for " + names, std::nullopt, std::nullopt);
  }

  void explain_undo(step_index i) {
    const auto& step = state_.steps[i];
    const auto& compensation = state_.workflow->steps[i].compensate;
    if (!compensation || state_.phase == run_phase::ended)
      return;
    if (step.undo == undo_phase::calling) {
      explain_call({i, step.undo_attempt, true}, *step.undo_attempt_started_at, compensation->timeout, " to undo it");
    } else if (step.undo == undo_phase::due) {
      wait(
        "compensation", name(i),
        "step " + name(i) +
          (state_.paused ? ": is to be undone once the run is resumed"
                         : ": is to be undone after the steps that succeeded later"),
        std::nullopt, std::nullopt);
    } else if (step.undo == undo_phase::backing_off && step.next_undo_at) {
      explain_due(
        {i, step.undo_attempt + 1, true}, *step.next_undo_at, step.undo_attempt_started_at, compensation->call,
        step.undo_failure);
    }
  }

  const run_state& state_;
  const explain_context& context_;
  explanation explanation_;
};

} // namespace

explanation explain(const run_state& state, const explain_context& context) {
  return explainer(state, context).explain();
}

std::string clock_text(timestamp at, timestamp now) {
  const auto text = to_rfc3339(at).substr(0, 19) + "Z";
  const bool today = std::chrono::floor<std::chrono::days>(at) == std::chrono::floor<std::chrono::days>(now);
  return today ? text.substr(11) : text;
}

} // namespace levain
