// Nodes that are about to end and let others have everything first.
#include <boost/test/unit_test.hpp>

#include <caf/send.hpp>

#include "tests/support/cluster_watch.hpp"
#include "tests/support/forgetful_leases.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

using counts = std::vector<size_t>;

/// Counts how often the node has released something.
actor_world::options counting_releases(const std::shared_ptr<size_t>& count) {
  actor_world::options settings;
  settings.change_leases = [count](lease_beginning& x) { x.released = [count] { ++*count; }; };
  return settings;
}

} // namespace

BOOST_AUTO_TEST_SUITE(ending_in_order_test)

BOOST_AUTO_TEST_CASE(an_idle_node_is_rid_of_its_shards_at_once) {
  shared_world world;
  const auto releases = std::make_shared<size_t>(0);
  auto& first = world.add(counting_releases(releases));
  auto& second = world.add();
  world.advance(5 * one_beat);
  *releases = 0;
  const auto told = end_in_order(first);
  BOOST_TEST_REQUIRE(told->has_value());
  BOOST_TEST((*told)->shards_left == 0u);
  BOOST_TEST((*told)->reason.empty());
  BOOST_TEST(*releases > 0u);
  BOOST_TEST(living_node(world, 0).draining);
  // The other one is told over the wire, and does not wait for its heartbeat.
  caf::anon_send(second.lease_keeper_handle, shards_freed_elsewhere{});
  second.settle();
  BOOST_TEST(world.ready() == (counts{0, 64}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(calls_in_flight_have_their_grace_and_no_run_is_lost_or_done_twice) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  const auto runs = start_many(first, 100);
  const auto told = end_in_order(first);
  BOOST_TEST(!told->has_value());
  world.advance(1s);
  BOOST_TEST(!told->has_value());
  first.calls->answer("one", "{}");
  world.advance(10ms);
  BOOST_TEST_REQUIRE(told->has_value());
  BOOST_TEST((*told)->shards_left == 0u);
  world.advance(2 * one_beat);
  second.calls->answer("two", "{}");
  world.advance(1s);
  for (const auto& run : runs) {
    BOOST_TEST(terminal_events(*world.database, run) == 1u);
    BOOST_TEST(calls_of(first, second, run, "one") == 1u);
    BOOST_TEST(calls_of(first, second, run, "two") == 1u);
  }
}

BOOST_AUTO_TEST_CASE(calls_that_outlast_the_grace_are_made_again_elsewhere) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  const auto runs = start_many(first, 20);
  const auto told = end_in_order(first);
  world.advance(2500ms);
  BOOST_TEST_REQUIRE(told->has_value());
  world.advance(2 * one_beat);
  for (const auto& run : runs)
    BOOST_TEST(calls_of(first, second, run, "one") == 2u);
}

BOOST_AUTO_TEST_CASE(a_node_alone_is_told_at_once_that_nobody_takes_anything) {
  shared_world world;
  auto& node = world.add();
  const auto told = end_in_order(node);
  BOOST_TEST_REQUIRE(told->has_value());
  BOOST_TEST((*told)->shards_left == size_t{shard_count});
  BOOST_TEST((*told)->reason == "no other living node takes shards");
  BOOST_TEST(node.status().shards_ready == size_t{shard_count});
}

BOOST_AUTO_TEST_CASE(a_node_that_holds_its_database_is_told_at_once) {
  actor_world node;
  const auto told = end_in_order(node);
  BOOST_TEST_REQUIRE(told->has_value());
  BOOST_TEST((*told)->shards_left == size_t{shard_count});
  BOOST_TEST((*told)->reason == "the node is alone on its database");
}

BOOST_AUTO_TEST_CASE(others_that_drain_or_are_dead_take_nothing) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  auto& third = world.add();
  world.advance(5 * one_beat);
  ask_to_drain(second, living_node(world, 1).id);
  third.crash();
  world.advance(10s);
  const auto told = end_in_order(first);
  BOOST_TEST_REQUIRE(told->has_value());
  BOOST_TEST((*told)->shards_left == size_t{shard_count});
}

BOOST_AUTO_TEST_CASE(whoever_waits_is_told_when_the_last_taker_dies) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  start_many(first, 100);
  // What may yet be committed keeps its shard, so the hand-over does not end by itself.
  first.manners->on_append = [](const auto&) { return model_fault::transient; };
  first.calls->answer("one", "{}");
  const auto told = end_in_order(first);
  second.crash();
  world.advance(3s);
  BOOST_TEST(!told->has_value());
  world.advance(5s);
  BOOST_TEST_REQUIRE(told->has_value());
  BOOST_TEST((*told)->shards_left > 0u);
  BOOST_TEST((*told)->reason == "no other living node takes shards");
}

BOOST_AUTO_TEST_CASE(a_node_that_is_about_to_end_takes_nothing) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  end_in_order(first);
  world.advance(2 * one_beat);
  second.crash();
  world.advance(20s);
  BOOST_TEST(first.status().shards_ready == 0u);
}

BOOST_AUTO_TEST_CASE(a_database_that_is_away_keeps_nobody_waiting) {
  shared_world world;
  const auto loses = std::make_shared<std::set<std::string>>(std::set<std::string>{"set_draining"});
  auto& first = world.add(losing(loses));
  world.add();
  world.advance(5 * one_beat);
  const auto told = end_in_order(first);
  BOOST_TEST_REQUIRE(told->has_value());
  BOOST_TEST((*told)->shards_left == 32u);
  BOOST_TEST((*told)->reason.starts_with("the database cannot be asked: "));
}

BOOST_AUTO_TEST_CASE(whoever_leaves_first_is_told_of_nothing_later) {
  shared_world world;
  auto& first = world.add();
  world.add();
  world.advance(5 * one_beat);
  start_many(first, 100);
  const auto told = end_in_order(first);
  BOOST_TEST(!told->has_value());
  caf::anon_send(first.lease_keeper_handle, levain::drain{});
  first.settle();
  BOOST_TEST_REQUIRE(told->has_value());
  BOOST_TEST((*told)->reason == "the node leaves");
  world.advance(5s);
}

BOOST_AUTO_TEST_SUITE_END()
