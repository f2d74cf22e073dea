// What a run's actor does with its calls when the run stops or is paused, and with those that move.
#include <algorithm>

#include "actors/run.hpp"

namespace levain {

bool run_actor_state::is_withdrawn_by_now(const begin_call& call) const {
  return !call.undo && (run_.phase == run_phase::stopping || (run_.phase == run_phase::running && run_.paused));
}

void run_actor_state::withdraw_attempt_of(const withdraw_call& call) {
  const auto why = run_.phase != run_phase::stopping ? withdraw_reason::paused
                   : run_.cancelling                 ? withdraw_reason::cancelled
                                                     : withdraw_reason::stopped;
  for (const auto& each : attempts_) {
    if (each.call != begin_call{call.step, call.attempt, false})
      continue;
    // What may have begun elsewhere is not taken back for a pause.
    if (why != withdraw_reason::paused || !each.made_before)
      self_->send(each.actor, withdraw_attempt{why});
  }
  begin_grace();
}

void run_actor_state::begin_grace() {
  if (grace_until_ || !run_.cancelling || run_.phase != run_phase::stopping || calls_out(run_).empty())
    return;
  grace_until_ = steady() + environment_->run.cancel_grace;
  arm_timer();
}

void run_actor_state::attempt_has_moved(const attempt_moved& x) {
  const begin_call call{x.step, x.attempt, x.undo};
  const auto out =
    std::find_if(attempts_.begin(), attempts_.end(), [&](const auto& each) { return each.call == call; });
  if (out == attempts_.end())
    return;
  const auto now = steady();
  if (out->waits)
    out->queued += now - out->moved_at;
  out->moved_at = now;
  out->waits = x.news.kind != call_news::kind_type::in_flight;
  out->worker = out->waits ? std::string() : x.news.worker;
  out->in_flight_since = out->waits ? std::nullopt : std::optional(now);
  // It came to a worker after the cancellation: one that has it already is told when it is back.
  if (!out->waits && !x.undo && run_.phase == run_phase::stopping && run_.cancelling)
    self_->send(out->actor, withdraw_attempt{withdraw_reason::cancelled});
  if (x.news.kind == call_news::kind_type::delivery_lost && !hand_over_by_)
    feed(delivery_was_lost{x.step, x.attempt, x.undo, x.news.worker});
}

} // namespace levain
