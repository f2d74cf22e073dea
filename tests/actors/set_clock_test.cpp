// The wall clock is set while runs wait: what a living node waits for lasts as long as it was to last.
#include <array>
#include <boost/test/unit_test.hpp>

#include "tests/actors/scripted_runs.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr std::array<duration, 3> settings{2h, -2h, -24h};

std::string key_of(const actor_world::started& start) {
  return to_string(start.run().run) + "/one";
}

/// No event of the run is older than the one before it.
void check_times(actor_world& world, const run_id& run) {
  const auto events = world.database->events(run);
  for (size_t i = 1; i < events.size(); ++i)
    BOOST_TEST(events[i].at.time_since_epoch().count() >= events[i - 1].at.time_since_epoch().count());
  const auto row = world.row(run);
  BOOST_TEST(row.duration_seconds.value_or(0) >= 0);
  world.check_row_equals_fold(run);
}

workflow_ptr backing_off() {
  return workflow_builder("retry")
    .step("one")
    .call(scripted())
    .retry({.max_attempts = 2, .initial_interval = 5s, .jitter = 0})
    .build();
}

} // namespace

BOOST_AUTO_TEST_SUITE(set_clock_test)

BOOST_AUTO_TEST_CASE(a_backoff_lasts_as_long_whatever_the_clock_is_set_to) {
  for (const auto off : settings) {
    actor_world world;
    auto start = world.start(backing_off());
    world.settle();
    world.calls->answer("one", failure(call_failure::kind_type::retryable));
    world.advance(1s);
    world.clock_is_off = off;
    const auto waits = world.explain_run(start->run().run).waits;
    BOOST_TEST_REQUIRE(waits.size() == 1u);
    BOOST_TEST((waits.front().until == world.now() + 4s));
    world.advance(3900ms);
    BOOST_TEST(world.calls->count(key_of(*start)) == 1u);
    world.advance(200ms);
    BOOST_TEST(world.calls->count(key_of(*start)) == 2u);
    world.calls->answer("one", "{}");
    world.settle();
    BOOST_TEST((world.row(start->run().run).status == run_status::completed));
    check_times(world, start->run().run);
  }
}

BOOST_AUTO_TEST_CASE(a_compensation_backs_off_as_long_whatever_the_clock_is_set_to) {
  for (const auto off : settings) {
    actor_world world;
    auto start =
      world.start(workflow_builder("undo")
                    .step("one")
                    .call(scripted())
                    .compensate({.call = scripted(), .retry = {.max_attempts = 2, .initial_interval = 5s, .jitter = 0}})
                    .step("two")
                    .call(scripted())
                    .needs({"one"})
                    .build());
    world.settle();
    world.calls->answer("one", "{}");
    world.settle();
    world.calls->answer("two", failure(call_failure::kind_type::final));
    world.settle();
    world.calls->answer("one", failure(call_failure::kind_type::retryable), true);
    world.settle();
    world.clock_is_off = off;
    world.advance(4900ms);
    BOOST_TEST(!world.calls->waits("one", true));
    world.advance(200ms);
    BOOST_TEST(world.calls->waits("one", true));
    world.calls->answer("one", "{}", true);
    world.settle();
    check_times(world, start->run().run);
  }
}

BOOST_AUTO_TEST_CASE(a_retry_of_the_run_comes_in_time_whatever_the_clock_is_set_to) {
  for (const auto off : settings) {
    actor_world world;
    auto workflow = std::make_shared<workflow_definition>(*workflow_builder("w").step("one").call(scripted()).build());
    workflow->run_retries = {.max = 1, .initial_interval = 30s};
    auto start = world.start(workflow);
    world.settle();
    world.calls->answer("one", failure(call_failure::kind_type::final));
    world.settle();
    world.clock_is_off = off;
    world.advance(29900ms);
    BOOST_TEST(world.calls->count(key_of(*start)) == 1u);
    world.advance(200ms);
    BOOST_TEST(world.calls->count(key_of(*start)) == 2u);
    check_times(world, start->run().run);
  }
}

BOOST_AUTO_TEST_CASE(a_call_keeps_its_deadline_whatever_the_clock_is_set_to) {
  for (const auto off : settings) {
    actor_world world;
    auto start = world.start(workflow_builder("slow").step("one").call(scripted()).timeout(10s).build());
    world.advance(5s);
    world.clock_is_off = off;
    world.advance(4900ms);
    BOOST_TEST(world.calls->waits("one"));
    world.advance(200ms);
    BOOST_TEST((world.row(start->run().run).status == run_status::failed));
    check_times(world, start->run().run);
  }
}

BOOST_AUTO_TEST_CASE(a_simulated_call_takes_its_time_whatever_the_clock_is_set_to) {
  for (const auto off : settings) {
    actor_world world;
    simulate_call call;
    call.time = 20s;
    auto start = world.start(workflow_builder("simulated").step("one").call(call).build());
    world.advance(10s);
    world.clock_is_off = off;
    world.advance(9900ms);
    BOOST_TEST((world.row(start->run().run).status == run_status::running));
    world.advance(200ms);
    BOOST_TEST((world.row(start->run().run).status == run_status::completed));
    check_times(world, start->run().run);
  }
}

BOOST_AUTO_TEST_CASE(a_pause_outlasts_no_backoff_because_the_clock_was_set) {
  actor_world world;
  auto start = world.start(backing_off());
  world.settle();
  const auto run = start->run().run;
  world.calls->answer("one", failure(call_failure::kind_type::retryable));
  world.settle();
  world.ask(run, pause_asked{"mara"});
  world.settle();
  world.clock_is_off = 2h;
  world.ask(run, resume_asked{"mara"});
  world.advance(4900ms);
  BOOST_TEST(world.calls->count(key_of(*start)) == 1u);
  world.advance(200ms);
  BOOST_TEST(world.calls->count(key_of(*start)) == 2u);
}

BOOST_AUTO_TEST_CASE(who_takes_a_run_up_waits_no_longer_than_its_wait_could_be) {
  // Given: a node whose clock is ahead writes when to try again, and dies.
  actor_world world;
  world.clock_is_off = 1h;
  auto start = world.start(backing_off());
  world.settle();
  world.calls->answer("one", failure(call_failure::kind_type::retryable));
  world.settle();
  world.crash();
  // When: one whose clock is right goes on.
  world.clock_is_off = 0s;
  world.boot();
  world.advance(4900ms);
  BOOST_TEST(world.calls->count(key_of(*start)) == 1u);
  world.advance(200ms);
  BOOST_TEST(world.calls->count(key_of(*start)) == 2u);
  check_times(world, start->run().run);
}

BOOST_AUTO_TEST_CASE(a_row_is_brought_up_to_date_whatever_the_clock_is_set_to) {
  actor_world world;
  auto start = world.start(forecast_first());
  world.advance(1s);
  world.clock_is_off = -2h;
  world.calls->answer("one", "{}");
  world.advance(1s);
  BOOST_TEST(world.row(start->run().run).saga_steps_completed == 1);
}

BOOST_AUTO_TEST_SUITE_END()
