// What a run's actor waits for, and when that is over.
#include <algorithm>
#include <caf/send.hpp>

#include "actors/run.hpp"
#include "actors/run_machine/due_times.hpp"

namespace levain {

void run_actor_state::keep_waits() {
  const auto dues = due_times(run_);
  std::erase_if(
    waits_, [&](const timed_wait& each) { return std::ranges::find(dues, each.due, &due_time::at) == dues.end(); });
  for (const auto& each : dues)
    if (std::ranges::find(waits_, each.at, &timed_wait::due) == waits_.end()) {
      // What another process wrote, by a clock of its own, is waited for at most as long as that wait could be.
      const auto left = each.at - std::max(now(), run_.updated_at);
      waits_.push_back({each.at, steady() + std::clamp(left, duration(0), std::max(each.wait_max, duration(0)))});
    }
}

std::vector<timestamp> run_actor_state::waits_that_came() const {
  std::vector<timestamp> came;
  if (waits_.empty())
    return came;
  const auto time = steady();
  for (const auto& each : waits_)
    if (each.until <= time)
      came.push_back(each.due);
  return came;
}

std::optional<timestamp> run_actor_state::next_wait() const {
  if (run_.paused || waits_.empty())
    return std::nullopt;
  return std::ranges::min(waits_, {}, &timed_wait::until).until;
}

void run_actor_state::arm_timer() {
  keep_waits();
  if (leaving_ || hand_over_by_)
    return;
  auto due = next_wait();
  if (grace_until_)
    due = due ? std::min(*due, *grace_until_) : *grace_until_;
  if (durable_seq_ > 0 && projected_seq_ < run_.seq && held_back_.empty() && run_.phase != run_phase::ended) {
    const auto projection = projected_at_ + projection_interval();
    due = due ? std::min(*due, projection) : projection;
  }
  if (!due || (armed_ && *armed_ <= *due))
    return;
  armed_ = due;
  self_->send(environment_->timekeeper, wake_at{*due});
}

void run_actor_state::woken() {
  armed_.reset();
  leave_if_settled();
  if (leaving_)
    return;
  if (reloading_)
    read_back();
  if (reloading_ || hand_over_by_)
    return;
  if (auto due = next_wait(); due && *due <= steady())
    feed(clock_reached{});
  if (grace_until_ && *grace_until_ <= steady()) {
    grace_until_.reset();
    feed(cancel_grace_over{environment_->run.cancel_grace});
  }
  project_if_due();
  arm_timer();
}

} // namespace levain
