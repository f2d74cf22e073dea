// What the log says of runs: a line for each that failed or that a person has to look at; at debug one for each event.
#include <boost/test/unit_test.hpp>

#include "tests/support/actor_world.hpp"
#include "tests/support/has.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

const call_failure cold{call_failure::kind_type::final, "the oven is \"cold\"", std::nullopt};

workflow_ptr two_steps() {
  return workflow_builder("bread")
    .step("bake")
    .call(function_call{"scripted"})
    .compensate({.call = function_call{"scripted"}, .retry = {.max_attempts = 1}})
    .step("sell")
    .needs({"bake"})
    .call(function_call{"scripted"})
    .build();
}

/// A run of two steps, the first of which is done.
run_id baked(actor_world& world) {
  const auto start = world.start(two_steps());
  world.settle();
  world.calls->answer("bake", "{}");
  world.settle();
  return start->run().run;
}

void end_with(actor_world& world, const std::string& step, call_result result, bool undo = false) {
  world.calls->answer(step, std::move(result), undo);
  world.settle();
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_log_test)

BOOST_AUTO_TEST_CASE(a_run_that_failed_is_a_line_that_says_why) {
  actor_world world;
  const auto run = baked(world);
  const log_lines log(spdlog::level::info);
  end_with(world, "sell", cold);
  BOOST_TEST(log.of("run_failed").empty(), "it has not ended yet");
  end_with(world, "bake", "{}", true);
  const auto lines = log.of("run_failed");
  BOOST_TEST_REQUIRE(lines.size() == 1U);
  const auto row = world.row(run);
  for (const auto& part :
       {"warning run_failed run=" + to_string(run), " run_number=" + row.run_number, std::string(" workflow=bread"),
        std::string(" status=failed"), std::string(R"( error="step sell failed: the oven is \"cold\"")")})
    BOOST_TEST(has(lines[0], part), lines[0] << " has no " << part);
  BOOST_TEST(log.of("run_needs_attention").empty());
}

BOOST_AUTO_TEST_CASE(a_run_that_a_person_has_to_look_at_is_a_line_that_says_what_is_left) {
  actor_world world;
  const auto run = baked(world);
  const log_lines log(spdlog::level::info);
  end_with(world, "sell", cold);
  end_with(world, "bake", cold, true);
  const auto lines = log.of("run_needs_attention");
  BOOST_TEST_REQUIRE(lines.size() == 1U);
  BOOST_TEST(lines[0].starts_with("warning run_needs_attention run=" + to_string(run)), lines[0]);
  BOOST_TEST(
    has(lines[0], R"(attention="the compensation of step bake failed after 1 attempt: the oven is \"cold\"")"),
    lines[0]);
  BOOST_TEST(log.of("run_failed").empty());
}

BOOST_AUTO_TEST_CASE(a_run_that_ended_well_is_a_line_at_debug_alone) {
  for (const auto level : {spdlog::level::info, spdlog::level::debug}) {
    actor_world world;
    const log_lines log(level);
    const auto run = baked(world);
    end_with(world, "sell", "{}");
    const bool debug = level == spdlog::level::debug;
    const auto ended = log.of("run_ended");
    BOOST_TEST_REQUIRE(ended.size() == size_t(debug));
    if (debug)
      BOOST_TEST(ended[0].starts_with("debug run_ended run=" + to_string(run)), ended[0]);
    const auto events = log.of("run_event");
    BOOST_TEST_REQUIRE(events.size() == (debug ? world.database->events(run).size() : 0U));
    if (debug)
      BOOST_TEST(
        events[2] == "debug run_event run=" + to_string(run) + R"( seq=3 kind=step_succeeded step="bake" attempt=1)");
  }
}

BOOST_AUTO_TEST_SUITE_END()
