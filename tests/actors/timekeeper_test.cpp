// The wheel: who is woken when, also by a clock that jumps.
#include <boost/test/unit_test.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include "actors/timekeeper.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { set("scheduler.policy", caf::atom("testing")); }
};

/// A timekeeper on the test scheduler, with a clock that the test can move.
struct wheel_world {
  ~wheel_world() {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(keeper), caf::exit_reason::kill);
    caf::anon_send_exit(sleeper, caf::exit_reason::kill);
    scheduler.run();
  }

  timestamp now() const {
    return timestamp(std::chrono::duration_cast<duration>(scheduler.clock().now().time_since_epoch())) + off;
  }
  /// Somebody wants to be woken in `span`, by the clock as it is now.
  void wake_in(duration span) {
    caf::send_as(sleeper, keeper, wake_at{now() + span});
    settle();
  }
  void settle() {
    while (scheduler.try_run_once()) {
    }
  }
  void advance(duration span) {
    for (auto left = span; left > 0us; left -= 10ms) {
      scheduler.advance_time(10ms);
      settle();
    }
  }
  size_t timers() const { return scheduler.clock().schedule().size(); }

  config settings;
  caf::actor_system system{settings};
  caf::scheduler::test_coordinator& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  duration off{};
  int wakes = 0;
  timekeeper_actor keeper = system.spawn(timekeeper, [this] { return now(); });
  caf::actor sleeper = system.spawn(
    [](caf::event_based_actor*, int* woken) -> caf::behavior { return {[woken](const wake&) { ++*woken; }}; }, &wakes);
};

} // namespace

BOOST_AUTO_TEST_SUITE(timekeeper_test)

BOOST_AUTO_TEST_CASE(everybody_is_woken_in_time) {
  wheel_world world;
  world.wake_in(20s);
  world.wake_in(1s);
  world.advance(990ms);
  BOOST_TEST(world.wakes == 0);
  world.advance(20ms);
  BOOST_TEST(world.wakes == 1);
  world.advance(18900ms);
  BOOST_TEST(world.wakes == 1);
  world.advance(200ms);
  BOOST_TEST(world.wakes == 2);
}

BOOST_AUTO_TEST_CASE(a_clock_that_went_back_for_a_while_makes_nobody_late_for_long) {
  wheel_world world;
  world.off = -4min;
  world.advance(10ms);
  const auto due = world.now() + 4min + 1s; // As it was written down before the clock went back.
  caf::send_as(world.sleeper, world.keeper, wake_at{due});
  world.settle();
  world.off = 0s;
  world.advance(1s + turn_interval_max);
  BOOST_TEST(world.wakes == 1);
}

BOOST_AUTO_TEST_CASE(a_clock_that_went_ahead_wakes_who_is_due) {
  wheel_world world;
  world.wake_in(1h);
  world.off = 2h;
  world.advance(turn_interval_max + 10ms);
  BOOST_TEST(world.wakes == 1);
}

BOOST_AUTO_TEST_CASE(turns_do_not_multiply) {
  wheel_world world;
  for (int i = 100; i > 0; --i)
    world.wake_in(i * 1h); // Each earlier than the one before it.
  world.advance(1min);
  BOOST_TEST(world.timers() == 1u);
}

BOOST_AUTO_TEST_CASE(nobody_waits_and_nothing_is_armed) {
  wheel_world world;
  world.wake_in(1s);
  world.advance(10s);
  BOOST_TEST(world.timers() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
