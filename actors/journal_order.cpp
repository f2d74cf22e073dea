#include "actors/journal_order.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>

#include "actors/workflow/steps_after.hpp"

namespace levain {

namespace {

using nlohmann::json;

/// Numbered tries of one thing: of a step, or of undoing it.
struct tries {
  /// The highest number that the journal names; 0 before the first.
  int64_t newest = 0;
  /// An event said that `newest` began, and none said how it ended.
  bool begun = false;
  /// `newest` failed and is to be followed by another.
  bool again = false;
  std::optional<timestamp> due;
  /// Rounds that may have ended with a first try that no event names: a run that fails because the journal refused its
  /// events leaves such tries.
  int64_t unnamed_max = 0;

  void end_round() {
    begun = again = false;
    due.reset();
    ++unnamed_max;
  }
};

enum class step_end : uint8_t { open, succeeded, failed, skipped };
enum class undo_end : uint8_t { open, compensated, failed };

/// Whether the work of a step that did not succeed may have been done. `possible`: the journal does not say.
enum class doubt : uint8_t { none, possible, unknown };

struct step_track {
  step_end end = step_end::open;
  /// The event that ended the step; 0 while it is open.
  int32_t ended_by = 0;
  undo_end undone = undo_end::open;
  doubt outcome = doubt::none;
  tries calls;
  tries undos;
};

class order_check {
public:
  explicit order_check(const workflow_definition& workflow)
    : workflow_(workflow)
    , steps_(workflow.steps.size()) {}

  std::vector<order_fault> check(const std::vector<event_record>& events) {
    for (const auto& fact : events) {
      fact_ = &fact;
      if (fact.seq != seq_ + 1) {
        fault(
          seq_ == 0 ? std::string("a journal begins with event 1")
                    : fmt::format("it follows event {}: there should be an event {} between them", seq_, seq_ + 1));
        break;
      }
      if (!look())
        break;
      seq_ = fact.seq;
    }
    return std::move(faults_);
  }

private:
  // ---- what is there --------------------------------------------------------

  bool look() {
    check_time();
    if ((fact_->kind == event_kind::run_accepted) != (fact_->seq == 1))
      fault(fact_->seq == 1 ? "the first event must be run_accepted" : "a run is accepted once, by its first event");
    if (ended_ && fact_->kind != event_kind::run_retried && fact_->kind != event_kind::attention_resolved) {
      fault(fmt::format(
        "the run ended with event {} ({}); only run_retried or attention_resolved may follow", ended_by_,
        to_string(*ended_)));
      return false;
    }
    if (fact_->step.empty()) {
      look_at_run();
      return true;
    }
    const auto found = workflow_.find_step(fact_->step);
    if (!found) {
      fault(fmt::format("the workflow {} has no such step", workflow_.name));
      return false;
    }
    step_ = *found;
    look_at_step();
    return true;
  }

  void look_at_run() {
    switch (fact_->kind) {
    case event_kind::run_started:
      require(!started_, "the run was started before");
      require(!cancelling_, "the run was cancelled before it started");
      started_ = true;
      break;
    case event_kind::run_paused:
      require(!paused_, "the run was paused already");
      paused_ = true;
      break;
    case event_kind::run_resumed:
      require(paused_, "the run was not paused");
      paused_ = false;
      break;
    case event_kind::cancel_requested:
      require(!cancelling_, "the run was being cancelled already");
      require(
        stopped_by_ == 0 || retry_due_, fmt::format("the run was stopped by event {} and fails already", stopped_by_));
      stop_by_person();
      break;
    case event_kind::terminate_requested:
      require(!terminated_, "the run was being terminated already");
      terminated_ = true;
      stop_by_person();
      break;
    case event_kind::attention_resolved:
      require(ended_.has_value(), "the run has not ended");
      require(!resolved_, "its attention was resolved already");
      resolved_ = true;
      break;
    case event_kind::compensation_started:
      require(stopped_by_ != 0, "nothing has failed and nobody has cancelled, so there is nothing to undo");
      require(!compensating_, "the compensation was started before");
      require(!retry_due_, "the run waits for its retry");
      require(next_to_undo().has_value(), "no step that succeeded has a compensation");
      compensating_ = true;
      break;
    case event_kind::run_retry_scheduled:
      require(stopped_by_ != 0 && !cancelling_ && !compensating_, "no failure has stopped the run");
      retry_due_ = time_in_body("due_at");
      require(retry_due_.has_value(), "it says no time in due_at");
      break;
    case event_kind::run_retried:
      retry();
      break;
    case event_kind::run_accepted:
      break;
    default:
      end();
    }
  }

  void look_at_step() {
    auto& step = steps_[step_];
    switch (fact_->kind) {
    case event_kind::step_succeeded:
    case event_kind::step_failed:
    case event_kind::attempt_failed:
      look_at_outcome(step);
      break;
    case event_kind::attempt_started:
      require(stopped_by_ == 0, fmt::format("the run was stopped by event {}: nothing new may begin", stopped_by_));
      begin_try(step.calls, "attempt");
      break;
    case event_kind::attempt_withdrawn:
      return look_at_withdrawal(step);
    case event_kind::delivery_lost:
      return require(compensating_ || step.end == step_end::open, ended_words(step));
    case event_kind::step_skipped:
      require(step.end == step_end::open, ended_words(step));
      require(stopped_by_ == 0, fmt::format("the run was stopped by event {}: nothing is skipped", stopped_by_));
      require(has_unmet_need(), "every step it needs has succeeded or may still");
      end_step(step, step_end::skipped);
      break;
    case event_kind::compensation_attempt_started:
      look_at_undo(step);
      begin_try(step.undos, "attempt to undo it");
      break;
    case event_kind::step_compensated:
    case event_kind::compensation_failed:
    case event_kind::compensation_attempt_failed:
      look_at_undo(step);
      end_try(step.undos, fact_->kind == event_kind::compensation_attempt_failed, "attempt to undo it");
      if (fact_->kind != event_kind::compensation_attempt_failed)
        step.undone = fact_->kind == event_kind::step_compensated ? undo_end::compensated : undo_end::failed;
      break;
    default:
      fault("such an event is about the run and names no step");
    }
  }

  // ---- steps ----------------------------------------------------------------

  void look_at_outcome(step_track& step) {
    require(started_, "the run has not started");
    require(step.end == step_end::open, ended_words(step));
    require(!compensating_, "the compensation has started, so no call was out any more");
    if (step.calls.newest == 0 || !step.calls.begun)
      check_freed();
    const bool again = fact_->kind == event_kind::attempt_failed;
    if (again)
      require(stopped_by_ == 0, fmt::format("the run was stopped by event {}: nothing is tried again", stopped_by_));
    end_try(step.calls, again, "attempt");
    if (flag_in_body("unknown") && workflow_.steps[step_].effect == call_effect::external)
      step.outcome = doubt::unknown;
    if (again)
      return;
    end_step(step, fact_->kind == event_kind::step_succeeded ? step_end::succeeded : step_end::failed);
    if (step.end == step_end::succeeded)
      step.outcome = doubt::none;
    else if (workflow_.steps[step_].on_failure == failure_policy::fail && stopped_by_ == 0)
      stop();
  }

  /// An attempt that never began: the next one has its number.
  void look_at_withdrawal(step_track& step) {
    require(started_ && step.end == step_end::open && !step.calls.again, "no attempt of the step is out");
    const bool first = !step.calls.begun;
    require(first ? fact_->attempt > step.calls.newest : fact_->attempt == step.calls.newest, "no such attempt is out");
    if (first)
      return;
    --step.calls.newest;
    step.calls.begun = false;
    step.calls.again = stopped_by_ == 0;
    step.calls.due.reset();
    if (stopped_by_ != 0)
      end_step(step, step_end::failed);
  }

  /// Whether the step's first attempt in this round may have begun: with the last event that freed it.
  void check_freed() {
    int32_t freed_by = 0;
    const auto& definition = workflow_.steps[step_];
    for (const auto need : definition.needs) {
      require(
        steps_[need].end == step_end::succeeded,
        fmt::format("it needs the step {}, which had not succeeded", workflow_.steps[need].name));
      freed_by = std::max(freed_by, steps_[need].ended_by);
    }
    for (const auto other : definition.after) {
      require(
        steps_[other].end != step_end::open,
        fmt::format("it comes after the step {}, which had not ended", workflow_.steps[other].name));
      freed_by = std::max(freed_by, steps_[other].ended_by);
    }
    require(
      stopped_by_ == 0 || freed_by < stopped_by_,
      fmt::format("it was free only after event {} had stopped the run, and can never have begun", stopped_by_));
  }

  bool has_unmet_need() const {
    const auto& needs = workflow_.steps[step_].needs;
    return std::any_of(needs.begin(), needs.end(), [&](step_index need) {
      return steps_[need].end == step_end::failed || steps_[need].end == step_end::skipped;
    });
  }

  void end_step(step_track& step, step_end how) const {
    step.end = how;
    step.ended_by = fact_->seq;
  }

  // ---- compensation ---------------------------------------------------------

  bool is_undone_in_doubt(step_index i, doubt least) const {
    return steps_[i].end == step_end::failed && steps_[i].outcome >= least &&
           workflow_.steps[i].compensate_when == compensation_condition::attempted;
  }

  /// The step that ended last among those whose effect stands, or may stand, and can be undone.
  std::optional<step_index> next_to_undo() const {
    std::optional<step_index> next;
    for (step_index i = 0; i < steps_.size(); ++i) {
      const auto& step = steps_[i];
      const bool stands = step.end == step_end::succeeded || is_undone_in_doubt(i, doubt::unknown);
      const bool can = stands && step.undone == undo_end::open && workflow_.steps[i].compensate.has_value();
      // Several that are given up by one event follow each other in the order of the workflow.
      if (can && (!next || step.ended_by >= steps_[*next].ended_by))
        next = i;
    }
    return next;
  }

  void look_at_undo(const step_track& step) {
    require(compensating_, "no compensation_started came before it");
    require(workflow_.steps[step_].compensate.has_value(), "the step has no compensation");
    require(
      step.end == step_end::succeeded || is_undone_in_doubt(step_, doubt::possible),
      "the step has not succeeded, so there is nothing to undo");
    require(step.undone == undo_end::open, "undoing the step has ended before");
    const auto next = next_to_undo();
    if (next && *next != step_ && step.undone == undo_end::open && step.end == step_end::succeeded)
      fault(fmt::format("the step {} succeeded later and has to be undone first", workflow_.steps[*next].name));
  }

  // ---- tries ----------------------------------------------------------------

  void begin_try(tries& all, std::string_view what) {
    require(!paused_, "the run is paused");
    require(all.again, fmt::format("no failed {} is to be followed by another", what));
    require(fact_->attempt == all.newest + 1, fmt::format("{} {} should be the next", what, all.newest + 1));
    if (all.due)
      require(
        fact_->at >= *all.due - clock_step_max,
        fmt::format("it was due at {}, more than {} s later", to_rfc3339(*all.due), whole_seconds(clock_step_max)));
    all.newest = std::max<int64_t>(all.newest, fact_->attempt);
    all.begun = true;
    all.again = false;
    all.unnamed_max = 0;
  }

  void end_try(tries& all, bool again, std::string_view what) {
    require(!all.again, fmt::format("{} {} has not begun; no event says so", what, fact_->attempt));
    const auto least = all.begun ? all.newest : all.newest + 1;
    const auto most = all.begun ? all.newest : all.newest + 1 + all.unnamed_max;
    require(
      fact_->attempt >= least && fact_->attempt <= most, fmt::format("{} {} is the one that is out", what, least));
    all.newest = std::max<int64_t>(all.newest, fact_->attempt);
    all.begun = false;
    all.again = again;
    all.due = again ? time_in_body("due_at") : std::nullopt;
    all.unnamed_max = 0;
  }

  // ---- the run --------------------------------------------------------------

  void stop() {
    stopped_by_ = fact_->seq;
    for (auto& step : steps_)
      if (step.end == step_end::open && step.calls.again) {
        step.calls.again = false;
        end_step(step, step_end::failed);
      }
  }

  void stop_by_person() {
    cancelling_ = true;
    paused_ = false;
    retry_due_.reset();
    stop();
  }

  void retry() {
    const bool by_engine = text_in_body("by").value_or("").empty();
    if (ended_)
      require(
        !by_engine && (*ended_ == event_kind::run_failed || *ended_ == event_kind::run_partially_succeeded),
        fmt::format(
          "the run ended with event {} ({}); only a person can retry, and only what failed", ended_by_,
          to_string(*ended_)));
    else
      require(retry_due_.has_value(), "the run has not failed and waits for no retry");
    if (retry_due_ && by_engine)
      require(
        fact_->at >= *retry_due_ - clock_step_max,
        fmt::format("it was due at {}, more than {} s later", to_rfc3339(*retry_due_), whole_seconds(clock_step_max)));
    forget_doubts();
    for (auto& step : steps_) {
      if (step.end != step_end::succeeded || step.undone == undo_end::compensated) {
        step.end = step_end::open;
        step.ended_by = 0;
      }
      step.undone = undo_end::open;
      step.calls.end_round();
      step.undos.end_round();
    }
    ended_.reset();
    resolved_ = false;
    retry_due_.reset();
    stopped_by_ = 0;
    compensating_ = false;
    started_ = true;
  }

  /// Steps that are done anew under another key begin without doubts, and so does everything that a person has seen to.
  void forget_doubts() {
    std::vector<bool> undone(steps_.size());
    for (step_index i = 0; i < steps_.size(); ++i)
      undone[i] = steps_[i].undone == undo_end::compensated;
    auto anew = undone;
    if (flag_in_body("renews_keys"))
      anew = steps_after(workflow_, undone);
    for (step_index i = 0; i < steps_.size(); ++i)
      if (undone[i] || resolved_ || (anew[i] && steps_[i].end != step_end::succeeded))
        steps_[i].outcome = doubt::none;
  }

  void end() {
    const auto all = [&](auto holds) { return std::all_of(steps_.begin(), steps_.end(), holds); };
    const bool all_succeeded = all([](const step_track& step) { return step.end == step_end::succeeded; });
    const bool all_ended = all([](const step_track& step) { return step.end != step_end::open; });
    const bool rejected = fact_->kind == event_kind::run_failed && text_in_body("kind") == "rejected";
    switch (fact_->kind) {
    case event_kind::run_completed:
      require(stopped_by_ == 0 && all_succeeded, "not every step has succeeded");
      break;
    case event_kind::run_partially_succeeded:
      require(stopped_by_ == 0 && all_ended && !all_succeeded, "the steps have not ended in part");
      break;
    case event_kind::run_cancelled:
      require(cancelling_, "nobody has asked to cancel the run");
      break;
    case event_kind::run_failed:
      require(rejected || (stopped_by_ != 0 && !cancelling_), "no failure has stopped the run");
      break;
    default:
      fault("such an event is about a step and names none");
      return;
    }
    if (rejected)
      for (auto& step : steps_)
        if (step.end == step_end::open && step.outcome == doubt::none)
          step.outcome = doubt::possible;
    if (stopped_by_ != 0 && !rejected && !terminated_)
      if (const auto left = next_to_undo())
        fault(fmt::format("the step {} has not been undone", workflow_.steps[*left].name));
    ended_ = fact_->kind;
    ended_by_ = fact_->seq;
    paused_ = false;
  }

  // ---- times ----------------------------------------------------------------

  void check_time() {
    if (latest_ && fact_->at < *latest_ - clock_step_max)
      fault(fmt::format(
        "its time {} is more than {} s before {} of an earlier event", to_rfc3339(fact_->at),
        whole_seconds(clock_step_max), to_rfc3339(*latest_)));
    latest_ = latest_ ? std::max(*latest_, fact_->at) : fact_->at;
  }

  static int64_t whole_seconds(duration span) { return std::chrono::duration_cast<std::chrono::seconds>(span).count(); }

  // ---- words ----------------------------------------------------------------

  std::optional<std::string> text_in_body(const char* member) const {
    const auto body = json::parse(fact_->body, nullptr, false);
    const auto found = body.is_object() ? body.find(member) : body.end();
    if (!body.is_object() || found == body.end() || !found->is_string())
      return std::nullopt;
    return found->get<std::string>();
  }

  bool flag_in_body(const char* member) const {
    const auto body = json::parse(fact_->body, nullptr, false);
    return body.is_object() && body.value(member, json()) == json(true);
  }

  std::optional<timestamp> time_in_body(const char* member) const {
    const auto text = text_in_body(member);
    return text ? parse_timestamp(*text) : std::nullopt;
  }

  static std::string ended_words(const step_track& step) {
    return fmt::format("the step has ended with event {}", step.ended_by);
  }

  void require(bool holds, std::string_view otherwise) {
    if (!holds)
      fault(std::string(otherwise));
  }

  void fault(const std::string& why) {
    auto text = fmt::format("event {} ({}", fact_->seq, to_string(fact_->kind));
    if (!fact_->step.empty())
      text += " of step " + fact_->step;
    if (fact_->attempt != 0)
      text += fmt::format(", attempt {}", fact_->attempt);
    faults_.push_back({fact_->seq, text + ") is out of order: " + why});
  }

  const workflow_definition& workflow_;
  std::vector<step_track> steps_;
  std::vector<order_fault> faults_;
  const event_record* fact_ = nullptr;
  step_index step_ = 0;
  int32_t seq_ = 0;
  std::optional<timestamp> latest_;

  bool started_ = false;
  bool paused_ = false;
  bool cancelling_ = false;
  bool compensating_ = false;
  bool terminated_ = false;
  bool resolved_ = false;
  /// The event that stopped the run in this round: a failure or the command to cancel or terminate it. 0: none.
  int32_t stopped_by_ = 0;
  std::optional<timestamp> retry_due_;
  std::optional<event_kind> ended_;
  int32_t ended_by_ = 0;
};

} // namespace

std::vector<order_fault> order_faults(const std::vector<event_record>& events, const workflow_definition& workflow) {
  return order_check(workflow).check(events);
}

} // namespace levain
