// Several nodes on one database, each on a scheduler of its own: they know of each other by the leases alone.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include <caf/send.hpp>

#include "actors/recovery.hpp"
#include "persistence/model_leases.hpp"
#include "tests/support/forgetful_leases.hpp"
#include "tests/support/shared_world.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

const wish_refused& refusal(const std::optional<wish_outcome>& outcome) {
  BOOST_TEST_REQUIRE(outcome.has_value());
  BOOST_TEST_REQUIRE(std::holds_alternative<wish_refused>(*outcome));
  return std::get<wish_refused>(*outcome);
}

} // namespace

BOOST_AUTO_TEST_SUITE(takeover_test)

BOOST_AUTO_TEST_CASE(three_nodes_share_the_shards_within_a_few_heartbeats) {
  shared_world world;
  world.add();
  BOOST_TEST(world.ready() == std::vector<size_t>{64}, boost::test_tools::per_element());
  world.add();
  world.add();
  world.advance(5 * one_beat);
  BOOST_TEST(world.ready() == (std::vector<size_t>{22, 21, 21}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(shares_do_not_wander_while_nothing_changes) {
  shared_world world;
  for (int i = 0; i < 5; ++i)
    world.add();
  world.advance(10 * one_beat);
  const auto before = world.epochs();
  world.advance(60s);
  BOOST_TEST(world.epochs() == before, boost::test_tools::per_element());
  BOOST_TEST(world.ready() == (std::vector<size_t>{13, 13, 13, 13, 12}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_node_that_is_gone_before_the_next_heartbeat_moves_nothing) {
  shared_world world;
  world.add();
  world.advance(2 * one_beat);
  const auto before = world.epochs();
  model_leases visitor(world.database);
  node_record record;
  record.id.bytes[0] = 0xff;
  visitor.join(record, 5s);
  world.advance(one_beat);
  visitor.leave(record.id);
  world.advance(10 * one_beat);
  BOOST_TEST(world.epochs() == before, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(survivors_share_what_a_dead_node_had) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  auto& third = world.add();
  world.advance(5 * one_beat);
  const auto runs = start_many(third, 30);
  third.crash();
  world.advance(10s);
  BOOST_TEST(world.ready() == (std::vector<size_t>{32, 32, 0}), boost::test_tools::per_element());
  for (int step = 0; step < 2; ++step) {
    for (auto* node : {&first, &second})
      node->calls->answer(step == 0 ? "one" : "two", "{}");
    world.advance(100ms);
  }
  for (const auto& run : runs) {
    BOOST_TEST(terminal_events(*world.database, run) == 1u);
    first.check_row_equals_fold(run);
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_joins_takes_runs_over_and_none_is_lost_or_done_twice) {
  // Given
  shared_world world;
  auto& first = world.add();
  const auto runs = start_many(first, 100);
  // When: the calls that are out end in their grace, and the second step is begun by whoever has the run then.
  auto& second = world.add();
  world.advance(3 * one_beat);
  BOOST_TEST(first.status().shards_leaving > 0u);
  first.calls->answer("one", "{}");
  world.advance(3 * one_beat);
  BOOST_TEST(world.ready() == (std::vector<size_t>{32, 32}), boost::test_tools::per_element());
  BOOST_TEST(first.status().runs_live + second.status().runs_live == 100u);
  BOOST_TEST(second.status().runs_live > 20u);
  first.calls->answer("two", "{}");
  second.calls->answer("two", "{}");
  world.advance(1s);
  // Then
  for (const auto& run : runs) {
    BOOST_TEST(terminal_events(*world.database, run) == 1u);
    BOOST_TEST(
      first.calls->count(to_string(run) + "/one") + second.calls->count(to_string(run) + "/one") == 1u,
      "step one of run " << to_string(run));
    BOOST_TEST(first.calls->count(to_string(run) + "/two") + second.calls->count(to_string(run) + "/two") == 1u);
    first.check_row_equals_fold(run);
  }
  BOOST_TEST(first.status().times_fenced == 0u);
}

BOOST_AUTO_TEST_CASE(a_call_that_outlasts_the_grace_is_made_again_under_its_key) {
  shared_world world;
  auto& first = world.add();
  const auto runs = start_many(first, 100);
  auto& second = world.add();
  world.advance(6 * one_beat);
  BOOST_TEST(world.ready() == (std::vector<size_t>{32, 32}), boost::test_tools::per_element());
  size_t moved = 0;
  for (const auto& run : runs) {
    const auto key = to_string(run) + "/one";
    BOOST_TEST(first.calls->count(key) == 1u);
    const auto again = second.calls->count(key);
    moved += again;
    const auto call = std::find_if(first.calls->calls().begin(), first.calls->calls().end(), [&](const auto& each) {
      return each.request.idempotency_key == key;
    });
    BOOST_TEST(call->given_up == (again == 1));
  }
  BOOST_TEST(moved == second.status().runs_live);
  BOOST_TEST(moved > 20u);
  // An answer that comes to the node that let go is nobody's.
  for (int step = 0; step < 2; ++step) {
    for (auto* node : {&first, &second})
      node->calls->answer(step == 0 ? "one" : "two", "{}");
    world.advance(100ms);
  }
  for (const auto& run : runs)
    BOOST_TEST(terminal_events(*world.database, run) == 1u);
}

BOOST_AUTO_TEST_CASE(a_run_that_waits_for_its_slot_goes_with_its_shard) {
  shared_world world;
  actor_world::options narrow;
  narrow.dispatcher.runs_running_max = 1;
  auto& first = world.add(narrow);
  const auto runs = start_many(first, 50);
  BOOST_TEST(first.status().runs_waiting == 49u);
  auto& second = world.add();
  world.advance(6 * one_beat);
  BOOST_TEST(second.status().runs_live > 10u);
  BOOST_TEST(second.status().runs_waiting == 0u);
  BOOST_TEST(first.status().runs_live + second.status().runs_live == 50u);
  BOOST_TEST(first.status().runs_running == 1u);
}

BOOST_AUTO_TEST_CASE(a_shard_is_released_only_when_its_appends_are_settled) {
  shared_world world;
  auto& first = world.add();
  const auto runs = start_many(first, 100);
  auto away = std::make_shared<bool>(true);
  first.manners->on_append = [away](const auto&) { return *away ? model_fault::transient : model_fault::none; };
  first.calls->answer("one", "{}");
  auto& second = world.add();
  // Far beyond the grace: what may yet be committed keeps its shard.
  world.advance(20s);
  const auto before = second.status().shards_ready;
  BOOST_TEST(before < 32u);
  BOOST_TEST(first.status().shards_leaving == 32u - before);
  *away = false;
  world.advance(10s);
  BOOST_TEST(world.ready() == (std::vector<size_t>{32, 32}), boost::test_tools::per_element());
  BOOST_TEST(first.status().times_fenced == 0u);
  for (const auto& run : runs)
    BOOST_TEST(first.calls->count(to_string(run) + "/two") + second.calls->count(to_string(run) + "/two") == 1u);
}

BOOST_AUTO_TEST_CASE(a_call_that_was_let_go_is_no_failure_of_its_step) {
  shared_world world;
  auto& first = world.add();
  const auto parsed = parse_definition(R"({"workflow": "side_by_side", "version": 1, "steps": [
    {"name": "left", "call": {"function": {"name": "scripted"}}, "timeout": "1h"},
    {"name": "right", "call": {"function": {"name": "scripted"}}, "timeout": "1h"}]})");
  std::vector<std::shared_ptr<actor_world::started>> starts;
  for (int i = 0; i < 100; ++i)
    starts.push_back(first.start(parsed.workflow));
  first.settle();
  // What the one step said is on its way while the other is let go.
  auto away = std::make_shared<bool>(true);
  first.manners->on_append = [away](const auto&) { return *away ? model_fault::transient : model_fault::none; };
  first.calls->answer("left", "{}");
  auto& second = world.add();
  world.advance(20s);
  *away = false;
  world.advance(10s);
  BOOST_TEST(world.ready() == (std::vector<size_t>{32, 32}), boost::test_tools::per_element());
  for (auto* node : {&first, &second})
    node->calls->answer("right", "{}");
  world.advance(1s);
  for (const auto& each : starts)
    BOOST_TEST(terminal_events(*world.database, each->run().run) == 1u);
}

BOOST_AUTO_TEST_CASE(a_wish_for_a_run_of_another_node_is_refused_and_its_explanation_is_not) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  const auto run = start_many(first, 1).front();
  const auto asked = second.ask(run, pause_asked{"mara"});
  second.settle();
  BOOST_TEST((refusal(*asked).reason == wish_refused::reason_type::elsewhere));
  BOOST_TEST(refusal(*asked).message.find(std::to_string(shard_of(run))) != std::string::npos);
  BOOST_TEST(!second.explain_run(run).waits.empty());
  BOOST_TEST(second.status().runs_live == 0u);
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_wrong_gives_nobody_a_shard) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  const auto before = world.epochs();
  const auto run = start_many(first, 1).front();
  // Half a minute passes for one node in one moment of the database's.
  second.advance(30s);
  BOOST_TEST(world.epochs() == before, boost::test_tools::per_element());
  world.advance(30s);
  BOOST_TEST(world.epochs() == before, boost::test_tools::per_element());
  first.calls->answer("one", "{}");
  first.settle();
  first.calls->answer("two", "{}");
  first.settle();
  BOOST_TEST(terminal_events(*world.database, run) == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_written_for_a_shard_that_went_long_ago_fences_nobody) {
  shared_world world;
  auto& first = world.add();
  world.add();
  world.advance(5 * one_beat);
  caf::anon_send(first.lease_keeper_handle, shard_fenced{{63, 1}});
  caf::anon_send(first.lease_keeper_handle, shard_fenced{{0, 0}});
  world.advance(one_beat);
  BOOST_TEST(first.status().times_fenced == 0u);
  caf::anon_send(first.lease_keeper_handle, shard_fenced{{0, 1}});
  first.settle();
  BOOST_TEST(first.status().times_fenced == 1u);
  BOOST_TEST(first.status().fenced_at.has_value());
}

BOOST_AUTO_TEST_CASE(a_node_that_slept_through_its_lease_stops_its_runs_and_joins_anew) {
  shared_world world;
  auto& first = world.add();
  const auto runs = start_many(first, 10);
  // Only the database's clock goes on, and another node beats.
  actor_world::options other;
  other.sole = false;
  other.seed = 99;
  actor_world second(other, world.database);
  world.pass_unseen(6s);
  second.advance(6s);
  BOOST_TEST(second.status().runs_live == 10u);
  first.calls->answer("one", "{}");
  first.settle();
  BOOST_TEST(first.status().times_fenced == 1u);
  BOOST_TEST(first.status().runs_live == 0u);
  for (const auto& run : runs)
    BOOST_TEST(world.database->events(run).size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_was_read_under_an_older_epoch_is_not_taken_up) {
  shared_world world;
  auto& node = world.add();
  const auto run = start_many(node, 1).front();
  node.calls->answer("one", "{}");
  node.settle();
  node.calls->answer("two", "{}");
  node.settle();
  const auto state = std::make_shared<run_state>(fold_journal(run, world.database->events(run), *node.workflows));
  state->phase = run_phase::running;
  caf::anon_send(node.dispatch, adopt_runs{{{state, world.database->epoch(shard_of(run)) - 1}}});
  BOOST_TEST(node.status().runs_live == 0u);
  caf::anon_send(node.dispatch, adopt_runs{{{state, world.database->epoch(shard_of(run))}}});
  BOOST_TEST(node.status().runs_live == 1u);
}

BOOST_AUTO_TEST_CASE(only_its_own_actor_ends_a_run) {
  shared_world world;
  auto& node = world.add();
  const auto run = start_many(node, 1).front();
  // As from an actor of the time before the shard was lost and taken again.
  caf::anon_send(node.dispatch, run_left{run, run_left::reason_type::fenced});
  BOOST_TEST(node.status().runs_live == 1u);
}

BOOST_AUTO_TEST_CASE(shards_whose_taking_was_not_answered_are_worked_on_all_the_same) {
  shared_world world;
  auto& node = world.add(losing(std::make_shared<std::set<std::string>>(std::set<std::string>{"take"})));
  BOOST_TEST(node.status().shards_ready == 0u);
  world.advance(one_beat);
  BOOST_TEST(node.status().shards_ready == shard_count);
  BOOST_TEST(node.status().times_fenced == 0u);
  BOOST_TEST(start_many(node, 1).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_release_that_was_not_answered_fences_nobody) {
  shared_world world;
  auto& first = world.add(losing(std::make_shared<std::set<std::string>>(std::set<std::string>{"release"})));
  world.add();
  world.advance(6 * one_beat);
  BOOST_TEST(world.ready() == (std::vector<size_t>{32, 32}), boost::test_tools::per_element());
  BOOST_TEST(first.status().times_fenced == 0u);
}

BOOST_AUTO_TEST_CASE(nodes_that_ended_long_ago_are_forgotten) {
  shared_world world;
  actor_world::options tidy;
  tidy.lease.node_forgotten_after = 1min;
  auto& first = world.add(tidy);
  auto& second = world.add(tidy);
  world.advance(5 * one_beat);
  second.crash();
  world.advance(50s);
  model_leases table(world.database);
  BOOST_TEST(table.forget_expired(40s) == 1u); // It was still there.
  second.boot();
  world.advance(5 * one_beat);
  second.crash();
  world.advance(80s);
  BOOST_TEST(table.forget_expired(0s) == 0u);
  BOOST_TEST(first.status().shards_ready == shard_count);
}

BOOST_AUTO_TEST_SUITE_END()
