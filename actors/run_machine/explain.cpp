#include "actors/run_machine/explain.hpp"

#include "actors/run_machine/machine.hpp"
#include "actors/run_machine/progress.hpp"

namespace levain {

namespace {

/// Builds one explanation from one state.
class explainer {
public:
  explainer(const run_state& state, timestamp now)
    : state_(state)
    , now_(now) {}

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
    return std::move(explanation_);
  }

private:
  /// The time of day, with the date when it is not today's.
  std::string clock(timestamp at) const {
    auto text = to_rfc3339(at);
    text = text.substr(0, 19) + "Z";
    bool today = std::chrono::floor<std::chrono::days>(at) == std::chrono::floor<std::chrono::days>(now_);
    return today ? text.substr(11) : text;
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
      return "the run was cancelled" + by(state_.cancelled_by.value_or("")) +
             (state_.cancel_reason.empty() ? std::string() : " (" + state_.cancel_reason + ")") + at;
    default:
      return "the run failed" + at + ": " + state_.end_reason;
    }
  }

  void explain_run_retry() {
    if (!state_.retry_at)
      return;
    wait(
      "run_retry", {},
      "retry " + std::to_string(state_.retry_count + 1) + " of at most " +
        std::to_string(state_.workflow->run_retries.max) + " is due at " + clock(*state_.retry_at) + ", because " +
        stop_cause(),
      state_.updated_at, state_.retry_at);
  }

  void explain_step(step_index i) {
    const auto& step = state_.steps[i];
    const auto& definition = state_.workflow->steps[i];
    auto begin = "step " + name(i) + ": ";
    if (step.phase == step_phase::calling) {
      auto deadline = *step.attempt_started_at + definition.timeout;
      wait(
        "call", name(i),
        begin + "attempt " + std::to_string(step.attempt) + " is out since " + clock(*step.attempt_started_at) +
          ", its deadline is " + clock(deadline),
        step.attempt_started_at, deadline);
    } else if (step.phase == step_phase::backing_off && step.next_attempt_at) {
      wait(
        "retry", name(i),
        begin + "attempt " + std::to_string(step.attempt + 1) + " is due at " + clock(*step.next_attempt_at) +
          ", because attempt " + std::to_string(step.attempt) + " failed" + because(step.failure),
        step.attempt_started_at, step.next_attempt_at);
    } else if (step.phase == step_phase::waiting && state_.phase == run_phase::running) {
      explain_waiting_step(i, begin);
    } else if (step.phase == step_phase::ready && state_.phase == run_phase::running) {
      wait("pause", name(i), begin + "nothing but the pause keeps it", state_.paused_at, std::nullopt);
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
    auto begin = "step " + name(i) + ": ";
    if (step.undo == undo_phase::calling) {
      auto deadline = *step.undo_attempt_started_at + compensation->timeout;
      wait(
        "compensation", name(i),
        begin + "attempt " + std::to_string(step.undo_attempt) + " to undo it is out since " +
          clock(*step.undo_attempt_started_at) + ", its deadline is " + clock(deadline),
        step.undo_attempt_started_at, deadline);
    } else if (step.undo == undo_phase::due) {
      wait(
        "compensation", name(i),
        begin + (state_.paused ? "is to be undone once the run is resumed"
                               : "is to be undone after the steps that succeeded later"),
        std::nullopt, std::nullopt);
    } else if (step.undo == undo_phase::backing_off && step.next_undo_at) {
      wait(
        "compensation_retry", name(i),
        begin + "attempt " + std::to_string(step.undo_attempt + 1) + " to undo it is due at " +
          clock(*step.next_undo_at) + ", because attempt " + std::to_string(step.undo_attempt) + " failed" +
          because(step.undo_failure),
        step.undo_attempt_started_at, step.next_undo_at);
    }
  }

  const run_state& state_;
  timestamp now_;
  explanation explanation_;
};

} // namespace

explanation explain(const run_state& state, timestamp now) {
  return explainer(state, now).explain();
}

} // namespace levain
