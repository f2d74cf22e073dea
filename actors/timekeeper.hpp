#pragma once

#include <functional>
#include <map>

#include "actors/interfaces.hpp"

namespace levain {

struct timekeeper_state {
  static inline const char* name = "timekeeper";

  explicit timekeeper_state(timekeeper_actor::pointer self);

  void add(timestamp due, const caf::strong_actor_ptr& who);
  void turn();

private:
  void arm();

  timekeeper_actor::pointer self_;
  std::multimap<timestamp, caf::weak_actor_ptr> wheel_;
  /// The earliest turn that is under way; none while the wheel is empty, so that an idle node has no timer.
  std::optional<timestamp> armed_;

public:
  std::function<timestamp()> now;
};

timekeeper_actor::behavior_type
timekeeper(timekeeper_actor::stateful_pointer<timekeeper_state> self, std::function<timestamp()> now);

} // namespace levain
