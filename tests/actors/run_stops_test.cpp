// What a run's actor does with its calls when the run stops, and what the node makes of calls that wait.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "actors/cluster/worker_desk.hpp"
#include "tests/actors/scripted_runs.hpp"
#include "tests/support/scripted_workers.hpp"

using namespace std::chrono_literals;

namespace levain::test {

namespace {

workflow_ptr side_by_side() {
  return workflow_builder("pair").step("one").call(scripted()).compensated().step("two").call(scripted()).build();
}

bool has(const std::vector<event_kind>& story, event_kind kind) {
  return std::find(story.begin(), story.end(), kind) != story.end();
}

wish_outcome told(actor_world& world, const run_id& run, wish asked) {
  const auto outcome = world.ask(run, std::move(asked));
  world.settle();
  BOOST_TEST_REQUIRE(outcome->has_value());
  return **outcome;
}

bool granted(const wish_outcome& outcome) {
  return std::holds_alternative<wish_granted>(outcome);
}

/// A node with a desk; the test is its workers.
struct desk_world {
  explicit desk_world(size_t deliveries_max = 5)
    : world({.make_workers = [this, deliveries_max](std::function<timestamp()> now) {
      desk = std::make_shared<worker_desk>(worker_roster_options{.deliveries_max = deliveries_max}, std::move(now));
      return desk;
    }}) {}

  run_id start(const workflow_ptr& workflow) {
    const auto start = world.start(workflow);
    world.settle();
    return start->run().run;
  }
  worker_desk::seat join(uint8_t number = 1) {
    const auto seat = std::get<worker_desk::seat>(desk->join(hello_of(number, {{"baking", 4}})));
    world.settle();
    return seat;
  }
  void leave(worker_desk::seat who) {
    desk->leave(who);
    world.settle();
  }
  /// `give 1`, `drop 1`, `cancel 1`: what was said to workers since the last time.
  std::string said() {
    std::string text;
    for (const auto& each : desk->take_out()) {
      text += text.empty() ? "" : " ";
      if (const auto* given = std::get_if<call_given>(&each.word))
        text += "give " + std::to_string(given->number);
      else if (const auto* cancelled = std::get_if<call_cancelled>(&each.word))
        text += "cancel " + std::to_string(cancelled->number);
      else
        text += "drop " + std::to_string(std::get<call_dropped>(each.word).number);
    }
    return text;
  }
  void answer(worker_desk::seat who, const run_id& run, uint64_t number, bool succeeded = true) {
    const auto epoch = world.database->epoch(shard_of(run));
    BOOST_TEST(desk->take(who, call_ended{number, epoch, to_string(run) + "/bake", succeeded, "{}", false, 0}) == "");
    world.settle();
  }

  std::shared_ptr<worker_desk> desk;
  actor_world world;
};

workflow_builder baking() {
  workflow_builder builder("bakes");
  builder.step("bake").call(worker_call{"baking"}).timeout(30s).attempts(2);
  return builder;
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_stops_test)

// ---- what never began -------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_call_that_waits_is_taken_back_when_the_run_is_cancelled) {
  actor_world world;
  world.calls->takes_back = true;
  const auto run = world.start(chain());
  world.settle();
  BOOST_TEST(granted(told(world, run->run().run, cancel_asked{"mara", ""})));
  BOOST_TEST((world.calls->calls().front().asked_back == withdraw_reason::cancelled));
  BOOST_TEST((world.row(run->run().run).status == run_status::cancelled));
  BOOST_TEST(!world.row(run->run().run).attention.has_value());
  world.check_row_equals_fold(run->run().run);
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_is_taken_back_when_another_step_fails) {
  actor_world world;
  const auto run = world.start(side_by_side());
  world.settle();
  world.calls->takes_back = true;
  world.calls->answer("two", failure(call_failure::kind_type::final));
  world.settle();
  BOOST_TEST((world.calls->calls().front().asked_back == withdraw_reason::stopped));
  BOOST_TEST((world.row(run->run().run).status == run_status::failed));
  BOOST_TEST(has(world.story(run->run().run), event_kind::attempt_withdrawn));
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_is_taken_back_by_a_pause_and_made_after_it) {
  actor_world world;
  world.calls->takes_back = true;
  const auto run = world.start(chain());
  world.settle();
  told(world, run->run().run, pause_asked{"mara"});
  BOOST_TEST(!world.calls->waits("one"));
  world.calls->takes_back = false;
  told(world, run->run().run, resume_asked{"mara"});
  BOOST_TEST(world.calls->waits("one"));
  BOOST_TEST(world.calls->calls().back().request.attempt == 1u);
}

BOOST_AUTO_TEST_CASE(a_call_that_a_stop_overtakes_is_never_made) {
  actor_world world;
  auto away = std::make_shared<bool>(false);
  const auto run = world.start(chain());
  world.settle();
  database_away(world, away);
  *away = true;
  world.calls->answer("one", "{}");
  world.settle();
  const auto cancelled = world.ask(run->run().run, cancel_asked{"mara", ""});
  world.settle();
  *away = false;
  world.advance(10s);
  BOOST_TEST_REQUIRE(cancelled->has_value());
  BOOST_TEST(granted(**cancelled));
  BOOST_TEST(world.calls->count(to_string(run->run().run) + "/two") == 0u);
  BOOST_TEST((world.row(run->run().run).status == run_status::cancelled));
  BOOST_TEST(!world.row(run->run().run).attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_call_that_may_have_begun_before_a_crash_is_not_taken_for_withdrawn) {
  actor_world world;
  const auto run = world.start(chain());
  world.settle();
  world.crash();
  world.calls->takes_back = true;
  world.boot();
  world.advance(10s);
  BOOST_TEST(granted(told(world, run->run().run, cancel_asked{"mara", ""})));
  const auto row = world.row(run->run().run);
  BOOST_TEST((row.status == run_status::cancelled));
  BOOST_TEST(row.attention.value_or("").find("the outcome of step one is unknown") != std::string::npos);
}

// ---- the grace, and the end of patience -------------------------------------

BOOST_AUTO_TEST_CASE(an_answer_within_the_grace_counts) {
  actor_world world;
  const auto run = world.start(side_by_side());
  world.settle();
  told(world, run->run().run, cancel_asked{"mara", ""});
  world.advance(29s);
  world.calls->answer("one", "{}");
  world.calls->answer("two", "{}");
  world.settle();
  const auto row = world.row(run->run().run);
  BOOST_TEST((row.status == run_status::cancelled));
  BOOST_TEST(has(world.story(run->run().run), event_kind::step_compensated));
  BOOST_TEST(!row.attention.has_value());
}

BOOST_AUTO_TEST_CASE(after_the_grace_a_cancelled_run_ends_and_names_what_it_does_not_know) {
  actor_world world;
  const auto run = world.start(workflow_builder("slow").step("one").call(scripted()).timeout(2h).build());
  world.settle();
  told(world, run->run().run, cancel_asked{"mara", ""});
  world.advance(29s);
  BOOST_TEST((world.row(run->run().run).status == run_status::running));
  world.advance(1s);
  const auto row = world.row(run->run().run);
  BOOST_TEST((row.status == run_status::cancelled));
  BOOST_TEST(row.attention.value_or("").find(to_string(run->run().run) + "/one") != std::string::npos);
  world.check_row_equals_fold(run->run().run);
}

BOOST_AUTO_TEST_CASE(a_simulated_call_ends_with_the_cancellation) {
  actor_world world;
  const auto run =
    world.start(workflow_builder("long").step("one").call(simulate_call{.time = 48h}).timeout(72h).build());
  world.settle();
  told(world, run->run().run, cancel_asked{"mara", ""});
  const auto row = world.row(run->run().run);
  BOOST_TEST((row.status == run_status::cancelled));
  BOOST_TEST(!row.attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_terminated_run_gives_its_calls_up) {
  actor_world world;
  const auto run = world.start(side_by_side());
  world.settle();
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST(granted(told(world, run->run().run, terminate_asked{"mara", "fire"})));
  const auto row = world.row(run->run().run);
  BOOST_TEST((row.status == run_status::cancelled));
  BOOST_TEST(!world.calls->waits("two"));
  BOOST_TEST(!world.calls->waits("one", true));
  BOOST_TEST(row.attention.value_or("").find("terminated before it was undone") != std::string::npos);
  world.check_row_equals_fold(run->run().run);
}

BOOST_AUTO_TEST_CASE(attention_is_resolved_after_the_run_has_left_the_node) {
  actor_world world;
  const auto run = world.start(chain());
  world.settle();
  auto lost = failure(call_failure::kind_type::final);
  lost.unknown = true;
  world.calls->answer("one", lost);
  world.settle();
  const auto id = run->run().run;
  BOOST_TEST(world.row(id).attention.has_value());
  BOOST_TEST(granted(told(world, id, resolve_asked{"mara", "looked it up: nothing was done"})));
  BOOST_TEST(!world.row(id).attention.has_value());
  BOOST_TEST((world.row(id).status == run_status::failed));
  BOOST_TEST(!granted(told(world, id, resolve_asked{"mara", "again"})));
  BOOST_TEST(world.status().runs_live == 0u);
  world.check_row_equals_fold(id);
}

// ---- workers ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(no_worker_is_given_a_step_of_a_run_that_was_cancelled) {
  desk_world small;
  const auto run = small.start(baking().build());
  BOOST_TEST(granted(told(small.world, run, cancel_asked{"mara", ""})));
  small.join();
  BOOST_TEST(small.said() == "");
  const auto row = small.world.row(run);
  BOOST_TEST((row.status == run_status::cancelled));
  BOOST_TEST(!row.attention.has_value());
}

BOOST_AUTO_TEST_CASE(no_worker_is_given_a_step_of_a_run_that_has_failed) {
  desk_world small;
  const auto run = small.start(baking().step("other").call(scripted()).build());
  small.world.calls->answer("other", failure(call_failure::kind_type::final));
  small.world.settle();
  small.join();
  BOOST_TEST(small.said() == "");
  BOOST_TEST((small.world.row(run).status == run_status::failed));
}

BOOST_AUTO_TEST_CASE(the_worker_is_told_of_the_cancellation_and_its_answer_counts) {
  desk_world small;
  const auto who = small.join();
  const auto run = small.start(baking().compensated().build());
  BOOST_TEST(small.said() == "give 1");
  told(small.world, run, cancel_asked{"mara", ""});
  BOOST_TEST(small.said() == "cancel 1");
  small.answer(who, run, 1);
  BOOST_TEST((small.world.row(run).status == run_status::cancelled));
  BOOST_TEST(has(small.world.story(run), event_kind::step_compensated));
}

BOOST_AUTO_TEST_CASE(a_worker_lost_after_the_stop_leaves_an_unknown_outcome) {
  desk_world small;
  const auto who = small.join();
  const auto run = small.start(baking().build());
  told(small.world, run, cancel_asked{"mara", ""});
  BOOST_TEST(small.said() == "give 1 cancel 1");
  small.leave(who);
  small.join(2);
  BOOST_TEST(small.said() == "");
  const auto row = small.world.row(run);
  BOOST_TEST((row.status == run_status::cancelled));
  BOOST_TEST(row.attention.value_or("").find("worker 'worker-1' was lost with it") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_declined_call_is_given_to_nobody_after_the_stop) {
  desk_world small;
  const auto who = small.join();
  const auto run = small.start(baking().build());
  BOOST_TEST(small.said() == "give 1");
  told(small.world, run, cancel_asked{"mara", ""});
  BOOST_TEST(small.desk->take(who, call_declined{1}) == "");
  small.world.settle();
  small.join(2);
  BOOST_TEST(small.said() == "cancel 1");
  const auto row = small.world.row(run);
  BOOST_TEST((row.status == run_status::cancelled));
  BOOST_TEST(!row.attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_step_that_loses_its_workers_fails_after_some_and_names_them) {
  desk_world small(3);
  const auto run = small.start(baking().build());
  for (uint8_t number = 1; number <= 3; ++number) {
    const auto who = small.join(number);
    BOOST_TEST(small.said() == "give 1");
    small.leave(who);
  }
  const auto waits = small.world.explain_run(run).waits;
  BOOST_TEST_REQUIRE(waits.size() == 1u);
  BOOST_TEST(waits.front().kind == "retry");
  BOOST_TEST(
    waits.front().text.find(
      "3 workers were lost with it in hand (deliveries_max is 3): 'worker-1', 'worker-2', 'worker-3'") !=
      std::string::npos,
    waits.front().text);
  // The next attempt has all its deliveries.
  small.world.advance(5s);
  const auto who = small.join(4);
  BOOST_TEST(small.said() == "give 2");
  small.answer(who, run, 2);
  BOOST_TEST((small.world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(lost_workers_are_counted_across_a_restart_of_the_node) {
  desk_world small(3);
  const auto run = small.start(baking().build());
  for (uint8_t number = 1; number <= 2; ++number)
    small.leave(small.join(number));
  const auto story = small.world.story(run);
  BOOST_TEST(std::count(story.begin(), story.end(), event_kind::delivery_lost) == 2);
  small.world.crash();
  small.world.boot();
  small.world.advance(10s);
  small.leave(small.join(3));
  const auto waits = small.world.explain_run(run).waits;
  BOOST_TEST_REQUIRE(waits.size() == 1u);
  BOOST_TEST(waits.front().text.find("'worker-1', 'worker-2', 'worker-3'") != std::string::npos, waits.front().text);
}

BOOST_AUTO_TEST_CASE(a_worker_that_comes_back_with_its_work_was_not_lost) {
  desk_world small(2);
  const auto run = small.start(baking().build());
  const auto call = to_string(run) + "/bake";
  for (int round = 0; round < 4; ++round) {
    auto hello = hello_of(1, {{"baking", 4}});
    if (round > 0)
      hello.held = {{call, 1}};
    const auto who = std::get<worker_desk::seat>(small.desk->join(hello));
    small.world.settle();
    BOOST_TEST(small.said() == "give 1");
    if (round < 3)
      small.leave(who);
    else
      small.answer(who, run, 1);
  }
  BOOST_TEST((small.world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(the_timeout_begins_with_the_delivery) {
  desk_world small;
  const auto run = small.start(baking().build());
  small.world.advance(92s);
  BOOST_TEST(small.world.explain_run(run).waits.front().kind == "worker");
  const auto who = small.join();
  BOOST_TEST(small.said() == "give 1");
  small.world.advance(29s);
  small.answer(who, run, 1);
  BOOST_TEST((small.world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_worker_that_does_not_answer_in_time_leaves_an_unknown_outcome) {
  desk_world small;
  const auto run = small.start(workflow_builder("bakes").step("bake").call(worker_call{"baking"}).timeout(30s).build());
  small.world.advance(1h);
  small.join();
  small.world.advance(30s);
  const auto row = small.world.row(run);
  BOOST_TEST((row.status == run_status::failed));
  BOOST_TEST(row.attention.has_value());
}

BOOST_AUTO_TEST_CASE(the_wait_for_a_worker_has_a_limit_of_its_own) {
  desk_world small;
  const auto run =
    small.start(workflow_builder("bakes").step("bake").call(worker_call{"baking"}).queue_timeout(5min).build());
  small.world.advance(299s);
  BOOST_TEST((small.world.row(run).status == run_status::running));
  small.world.advance(1s);
  const auto row = small.world.row(run);
  BOOST_TEST((row.status == run_status::failed));
  BOOST_TEST(*row.error_message == "step bake failed: no worker offers steps of kind 'baking', for 5m (queue_timeout)");
  // Nobody was ever given it.
  BOOST_TEST(!row.attention.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
