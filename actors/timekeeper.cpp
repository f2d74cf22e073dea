#include "actors/timekeeper.hpp"

#include <algorithm>
#include <caf/send.hpp>

namespace levain {

timekeeper_state::timekeeper_state(timekeeper_actor::pointer self)
  : self_(self) {}

void timekeeper_state::add(timestamp due, const caf::strong_actor_ptr& who) {
  if (who == nullptr)
    return;
  wheel_.emplace(due, caf::actor_cast<caf::weak_actor_ptr>(who));
  arm();
}

void timekeeper_state::arm() {
  if (wheel_.empty() || (armed_ && *armed_ <= wheel_.begin()->first))
    return;
  armed_ = wheel_.begin()->first;
  self_->delayed_send(self_, std::clamp(*armed_ - now(), duration(0), turn_interval_max), turn_wheel{++turn_});
}

void timekeeper_state::turn(const turn_wheel& x) {
  if (x.turn != turn_)
    return; // Armed before an earlier time was asked for.
  const auto until = now();
  armed_.reset();
  while (!wheel_.empty() && wheel_.begin()->first <= until) {
    // A sender that has ended in the meantime needs no waking.
    if (auto who = caf::actor_cast<caf::strong_actor_ptr>(wheel_.begin()->second))
      caf::anon_send(caf::actor_cast<caf::actor>(who), wake{});
    wheel_.erase(wheel_.begin());
  }
  arm();
}

timekeeper_actor::behavior_type
timekeeper(timekeeper_actor::stateful_pointer<timekeeper_state> self, std::function<timestamp()> now) {
  self->state.now = std::move(now);
  return {
    [self](const wake_at& x) { self->state.add(x.due, self->current_sender()); },
    [self](const turn_wheel& x) { self->state.turn(x); },
  };
}

} // namespace levain
