#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "tests/simulation/plan.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// One life of a node, from its boot to its death, as everything outside of the process sees it.
struct life {
  explicit life(place where)
    : who(where) {}

  place who;
  /// Under which id the database knows it; none before it joined.
  uuid node;
  bool alive = true;
  bool paused = false;
  timestamp paused_at{};
  /// At which of its deeds it is to die.
  kill_point dies_at = kill_point::never;
  /// With `kill_point::message`: how many it still handles.
  uint32_t messages_left = 0;
  /// How long it stays dead.
  duration down{};
  /// It was told to end in order.
  bool stopping = false;
  /// It was started without something that calls need.
  bool lacks = false;
  /// What its clock is off by.
  duration skew{};
  /// Calls of its ports that have not returned: its actors' frames are on the stack.
  int in_ports = 0;

  /// What reaches the process from outside. A process that stands still gets it when it goes on, one that is dead
  /// never.
  void reach(std::function<void()> what) {
    if (alive && paused)
      waiting_.push_back(std::move(what));
    else if (alive)
      what();
  }
  /// Nothing that was on its way reaches it any more.
  void die() {
    alive = false;
    waiting_.clear();
  }
  void go_on() {
    paused = false;
    while (alive && !paused && !waiting_.empty()) {
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }

private:
  std::deque<std::function<void()>> waiting_;
};

using life_ptr = std::shared_ptr<life>;

} // namespace levain::simulation
