// Whether what is lost on the way of a run is found out and healed, and whether a healthy node is left in peace.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "actors/watchdog.hpp"
#include "tests/support/actor_world.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

workflow_ptr one_step(duration timeout = 1h) {
  return workflow_builder("one_step")
    .step("one")
    .call(function_call{"scripted"})
    .timeout(timeout)
    .retry({.max_attempts = 2, .initial_interval = 40s, .backoff = 1, .jitter = 0})
    .build();
}

call_failure cold() {
  return {call_failure::kind_type::retryable, "the oven is cold", std::nullopt};
}

uint64_t found(const actor_world& world, liveness_kind kind) {
  return world.liveness->figures().violations.at(static_cast<size_t>(kind));
}

size_t calls_of(const actor_world& world, const run_id& run) {
  return world.calls->count(to_string(run) + "/one");
}

/// In the place of a dispatcher: tells the watchdog of one run, and remembers what it is to heal.
struct told_of_one_run {
  run_id run = make_run_id(timestamp{}, {1, 2}, 3);
  /// What the run says when it is asked; nothing: it does not answer.
  std::optional<run_liveness> says;
  bool served = false;
  std::vector<heal_run> healed;

  void watch(actor_world& world) {
    dispatcher_ = world.system().spawn(
      [](caf::event_based_actor*, told_of_one_run* node) -> caf::behavior {
        return {
          [](const look_at_stopped&) {},
          [node](const look_at_live& x) {
            live_page page;
            page.asked.push_back(node->run);
            if (node->served)
              page.served.push_back(node->run);
            x.page(page);
            if (node->says)
              x.told(*node->says);
          },
          [](const look_at_rows& x) {
            x.page({true, {}, std::nullopt});
          },
          [node](const heal_run& x) { node->healed.push_back(x); },
        };
      },
      this);
    looks_ = world.system().spawn(
      watchdog, watchdog_beginning{
                  world.environment(), caf::actor_cast<dispatcher_actor>(dispatcher_), {}, nullptr, world.liveness});
    world.expects_violations = true;
  }

  told_of_one_run() = default;
  told_of_one_run(const told_of_one_run&) = delete;
  told_of_one_run& operator=(const told_of_one_run&) = delete;
  ~told_of_one_run() {
    caf::anon_send_exit(looks_, caf::exit_reason::kill);
    caf::anon_send_exit(dispatcher_, caf::exit_reason::kill);
  }

private:
  watchdog_actor looks_;
  caf::actor dispatcher_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(watchdog_test)

BOOST_AUTO_TEST_CASE(an_actor_that_does_not_answer_is_taken_up_anew) {
  actor_world world({.watchdog = {.off = true}});
  told_of_one_run node;
  node.watch(world);
  world.advance(2min);
  BOOST_TEST(found(world, liveness_kind::silent) >= 1u);
  BOOST_TEST_REQUIRE(!node.healed.empty());
  BOOST_TEST((node.healed.front().run == node.run));
  BOOST_TEST(!node.healed.front().give_up);
}

BOOST_AUTO_TEST_CASE(an_actor_under_an_old_epoch_is_taken_up_anew) {
  actor_world world({.watchdog = {.off = true}});
  told_of_one_run node;
  node.says = run_liveness{node.run, 5, liveness_kind::misowned, "it acts under epoch 1, and its shard has epoch 2"};
  node.watch(world);
  world.advance(15s);
  BOOST_TEST(node.healed.empty()); // One look is not enough to judge by.
  world.advance(10s);
  BOOST_TEST(found(world, liveness_kind::misowned) == 1u);
  BOOST_TEST(node.healed.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_run_that_halts_again_and_again_is_given_up) {
  actor_world world({.watchdog = {.off = true}});
  told_of_one_run node;
  node.says = run_liveness{node.run, 5, liveness_kind::stuck, "nothing will ever wake it"};
  node.watch(world);
  world.advance(5min);
  const auto gave_up =
    std::find_if(node.healed.begin(), node.healed.end(), [](const heal_run& each) { return each.give_up; });
  BOOST_REQUIRE(gave_up != node.healed.end());
  const auto healed_before = static_cast<uint32_t>(std::distance(node.healed.begin(), gave_up));
  BOOST_TEST(healed_before == watchdog_options{}.heals_max);
  BOOST_TEST(world.liveness->figures().given_up >= 1u);
}

BOOST_AUTO_TEST_CASE(a_slot_that_somebody_had_waited_beside_is_told) {
  actor_world world({.watchdog = {.off = true}});
  told_of_one_run node;
  node.says = run_liveness{node.run, 1, std::nullopt, {}};
  node.served = true;
  node.watch(world);
  world.advance(15s);
  BOOST_TEST(found(world, liveness_kind::unserved) >= 1u);
  BOOST_TEST(node.healed.empty());
}

BOOST_AUTO_TEST_CASE(a_node_at_rest_is_looked_at_and_left_alone) {
  actor_world world;
  auto start = world.start(one_step());
  world.settle();
  world.calls->answer("one", cold());
  world.advance(39s);
  BOOST_TEST(world.liveness->figures().looks >= 3u);
  BOOST_TEST(world.liveness->figures().violations_in_all() == 0u);
  BOOST_TEST(calls_of(world, start->run().run) == 1u);
}

BOOST_AUTO_TEST_CASE(a_retry_whose_timer_was_lost_is_made_all_the_same) {
  actor_world world;
  world.expects_violations = true;
  auto start = world.start(one_step());
  world.settle();
  world.calls->answer("one", cold());
  world.settle();
  world.lose_timers();
  world.advance(2min);
  BOOST_TEST(found(world, liveness_kind::overdue) == 1u);
  BOOST_TEST(calls_of(world, start->run().run) == 2u);
  const auto last = world.liveness->figures().last.back();
  BOOST_TEST((last.run == start->run().run));
  BOOST_TEST(last.detail == "something was due at 2026-11-23T00:00:40.000000Z");
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(start->run().run).status == run_status::completed));
  world.check_row_equals_fold(start->run().run);
}

BOOST_AUTO_TEST_CASE(a_call_whose_deadline_was_lost_is_made_again) {
  actor_world world;
  world.expects_violations = true;
  auto start = world.start(one_step(5s));
  world.settle();
  world.lose_timers();
  world.advance(52s);
  BOOST_TEST(found(world, liveness_kind::overdue) == 1u);
  BOOST_TEST(calls_of(world, start->run().run) == 2u);
  BOOST_TEST(world.calls->calls().back().request.attempt == 1u);
  // The one before was given up, so its late answer is nobody's.
  BOOST_TEST(world.calls->calls().front().given_up);
}

BOOST_AUTO_TEST_CASE(an_append_that_was_lost_is_decided_anew) {
  actor_world world;
  world.expects_violations = true;
  auto start = world.start(one_step());
  world.settle();
  auto away = std::make_shared<bool>(true);
  world.manners->on_append = [away](const auto&) { return *away ? model_fault::transient : model_fault::none; };
  world.calls->answer("one", "{}");
  world.settle();
  *away = false;
  BOOST_TEST(world.writer_status->outage.end(0));
  world.lose_appends();
  world.advance(80s);
  BOOST_TEST(found(world, liveness_kind::overdue) == 1u);
  // Nobody remembers the answer, so the call was made again under its key.
  BOOST_TEST(calls_of(world, start->run().run) == 2u);
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(start->run().run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(an_outage_is_a_named_wait_and_no_fault) {
  actor_world world;
  auto start = world.start(one_step());
  world.settle();
  auto away = std::make_shared<bool>(true);
  world.manners->on_append = [away](const auto&) { return *away ? model_fault::transient : model_fault::none; };
  world.calls->answer("one", "{}");
  world.advance(5min);
  BOOST_TEST(world.liveness->figures().violations_in_all() == 0u);
  *away = false;
  world.advance(10s);
  BOOST_TEST((world.row(start->run().run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_run_that_only_the_database_knows_is_taken_up) {
  actor_world world;
  world.expects_violations = true;
  const auto run = world.plant(one_step());
  world.advance(15s);
  // One look is not enough to judge by.
  BOOST_TEST(found(world, liveness_kind::orphaned) == 0u);
  world.advance(10s);
  BOOST_TEST(found(world, liveness_kind::orphaned) == 1u);
  BOOST_TEST(calls_of(world, run) == 1u);
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::completed));
  BOOST_TEST(world.status().runs_live == 0u);
}

BOOST_AUTO_TEST_CASE(many_rows_take_several_looks) {
  actor_world world({.watchdog = {.listed_rows_max = 2}});
  world.expects_violations = true;
  for (int i = 0; i < 5; ++i)
    world.plant(one_step());
  world.advance(2min);
  BOOST_TEST(found(world, liveness_kind::orphaned) == 5u);
  BOOST_TEST(world.status().runs_live == 5u);
}

BOOST_AUTO_TEST_CASE(many_live_runs_are_asked_page_by_page) {
  actor_world world({.watchdog = {.page_runs_max = 3}});
  for (int i = 0; i < 50; ++i) {
    world.start(one_step(5s));
    world.settle();
  }
  world.lose_timers();
  world.expects_violations = true;
  world.advance(62s);
  BOOST_TEST(found(world, liveness_kind::overdue) == 50u);
}

BOOST_AUTO_TEST_CASE(many_that_halt_at_once_are_taken_up_a_few_at_a_look) {
  actor_world world({.watchdog = {.heals_per_look_max = 4}});
  world.expects_violations = true;
  for (int i = 0; i < 10; ++i)
    world.plant(one_step());
  world.advance(21s);
  BOOST_TEST(world.status().runs_live == 4u);
  world.advance(10s);
  BOOST_TEST(world.status().runs_live == 8u);
  world.advance(10s);
  BOOST_TEST(world.status().runs_live == 10u);
}

BOOST_AUTO_TEST_CASE(an_ended_run_whose_row_says_otherwise_gets_its_row_back) {
  actor_world world;
  world.expects_violations = true;
  auto start = world.start(one_step());
  world.settle();
  world.calls->answer("one", "{}");
  world.settle();
  const auto run = start->run().run;
  world.database->tamper_with_row(run, [](audit_row& row) { row.status = run_status::running; });
  world.advance(25s);
  BOOST_TEST(found(world, liveness_kind::orphaned) == 1u);
  BOOST_TEST((world.row(run).status == run_status::completed));
  BOOST_TEST(world.status().runs_live == 0u);
}

BOOST_AUTO_TEST_CASE(a_run_that_halts_again_and_again_is_given_up_by_name) {
  actor_world world({.watchdog = {.heals_max = 2}});
  world.expects_violations = true;
  auto start = world.start(one_step(5s));
  world.settle();
  const auto run = start->run().run;
  for (uint64_t i = 0; i < 3; ++i) {
    world.lose_timers();
    for (int seconds = 0; found(world, liveness_kind::overdue) == i && seconds < 120; ++seconds)
      world.advance(1s);
  }
  BOOST_TEST(found(world, liveness_kind::overdue) == 3u);
  BOOST_TEST(world.liveness->figures().given_up == 1u);
  BOOST_TEST(world.status().runs_live == 0u);
  BOOST_TEST(world.status().runs_stopped == 1u);
  const auto stop = world.database->stop(run);
  BOOST_TEST_REQUIRE(stop.has_value());
  BOOST_TEST((stop->kind == stop_kind::stuck));
  BOOST_TEST(stop->reason.starts_with("it came to a halt again after it was taken up anew 2 times: attempt 1 of step"));
  // It stays so, until a person retries it.
  world.advance(2min);
  BOOST_TEST(world.status().runs_live == 0u);
  const auto retried = world.ask(run, retry_asked{"mara"});
  world.settle();
  BOOST_TEST(std::holds_alternative<wish_granted>(retried->value()));
  BOOST_TEST(!world.database->stop(run).has_value());
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(switched_off_it_looks_at_nothing) {
  actor_world world({.watchdog = {.off = true}});
  const auto run = world.plant(one_step());
  world.advance(1min);
  BOOST_TEST(world.liveness->figures().looks == 0u);
  BOOST_TEST(calls_of(world, run) == 0u);
}

BOOST_AUTO_TEST_CASE(a_dead_actor_s_last_words_are_read_back) {
  actor_world world;
  auto away = std::make_shared<bool>(false);
  world.manners->on_append = [away](const auto&) { return *away ? model_fault::transient : model_fault::none; };
  auto start = world.start(one_step());
  world.settle();
  *away = true;
  world.calls->answer("one", "{}");
  world.settle();
  // It dies while its end is on its way to the database.
  caf::anon_send(world.dispatch, explain_run{start->run().run, actor_world::tenant, [](const explain_outcome&) {
                                               throw std::runtime_error("no ear");
                                             }});
  world.settle();
  BOOST_TEST(world.status().runs_live == 0u);
  *away = false;
  world.advance(10s);
  BOOST_TEST(calls_of(world, start->run().run) == 1u);
  BOOST_TEST((world.row(start->run().run).status == run_status::completed));
  BOOST_TEST(world.status().runs_live == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
