#pragma once

#include <functional>
#include <map>

#include "actors/interfaces.hpp"

namespace levain {

/// The wheel is looked at this often while anybody waits, in case the timers of the scheduler and `now` do not go
/// alike.
inline constexpr duration turn_interval_max = std::chrono::seconds(5);

struct timekeeper_state {
  static inline const char* name = "timekeeper";

  explicit timekeeper_state(timekeeper_actor::pointer self);

  void add(timestamp due, const caf::strong_actor_ptr& who);
  void turn(const turn_wheel& x);

private:
  void arm();

  timekeeper_actor::pointer self_;
  std::multimap<timestamp, caf::weak_actor_ptr> wheel_;
  /// The earliest turn that is under way; none while the wheel is empty, so that an idle node has no timer.
  std::optional<timestamp> armed_;
  /// Counts the turns that were armed; only the newest is taken.
  uint64_t turn_ = 0;

public:
  std::function<timestamp()> now;
};

/// `now` is a clock that is never set, and the one that `wake_at` counts on.
timekeeper_actor::behavior_type
timekeeper(timekeeper_actor::stateful_pointer<timekeeper_state> self, std::function<timestamp()> now);

} // namespace levain
