#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "actors/run_machine/machine.hpp"
#include "actors/run_machine/progress.hpp"

namespace levain {

/// INTERNAL to the run machine: one decision in the making. Events are tried on an outline of the state as they are
/// found, so that what follows from them is in the same decision.
class decider {
public:
  decider(const run_state& state, const decision_context& context)
    : state_(state)
    , context_(context)
    , run_(state) {
    // The time of a run never goes back, whatever became of the clock, so that nothing in it ends before it began.
    context_.now = std::max(context_.now, state.updated_at);
  }

  decision decide(const run_input& input);

private:
  // One for each input.
  void take(const slot_granted& input);
  void take(const call_answered& input);
  void take(const clock_reached& input);
  void take(const cancel_asked& input);
  void take(const pause_asked& input);
  void take(const resume_asked& input);
  void take(const retry_asked& input);
  void take(const events_refused& input);
  void take(const terminate_asked& input);
  void take(const resolve_asked& input);
  void take(const cancel_grace_over& input);
  void take(const delivery_was_lost& input);

  /// The outcome of an attempt that is out, if this is one.
  void take_result(const call_answered& input);
  /// A step's attempt, or one to undo it, that is out has failed.
  void fail_attempt(step_index step, call_failure failure);
  void fail_undo_attempt(step_index step, call_failure failure);
  /// Outcomes among the refused events, as failures of what is out; false when there was none.
  bool fail_refused_outcomes(const events_refused& refused);
  /// The run's last resort: ends it without waiting for anything.
  void fail_run_directly(const events_refused& refused);

  /// Everything that follows by itself: skipped steps, the next phase, the end.
  void conclude();
  bool conclude_pending();
  bool conclude_running();
  bool conclude_stopping();
  bool conclude_compensating();
  bool skip_one_step();
  std::string failure_reason() const;

  event make(event_kind kind) const;
  event make(event_kind kind, step_index step, uint32_t attempt) const;
  void emit(event fact);
  void refuse(std::string sentence) { decision_.refusal = std::move(sentence); }
  const std::string& name_of(step_index step) const { return run_.workflow->steps[step].name; }
  void collect_effects();
  void collect_withdrawals();

  const run_state& state_;
  decision_context context_;
  run_outline run_;
  std::vector<begin_call> begun_;
  decision decision_;
};

} // namespace levain
