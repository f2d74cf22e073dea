// Nodes that lack what unfinished runs need: others, which have it, hold the shards.
#include <boost/test/unit_test.hpp>

#include "actors/wanting_calls.hpp"
#include "tests/support/cluster_watch.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

using counts = std::vector<size_t>;

actor_world::options with_variable() {
  actor_world::options settings;
  settings.variables = {{"shop_url", "http://shop"}};
  return settings;
}

/// With its text, so that other nodes read it from the database.
workflow_ptr charging() {
  static const auto parsed = parse_definition(R"({"workflow": "shop", "version": 1, "steps": [
    {"name": "one", "call": {"function": {"name": "scripted"}}, "timeout": "1h"},
    {"name": "charge", "call": {"http": {"method": "POST", "url": "${shop_url}/charges"}}, "timeout": "1h",
     "needs": ["one"]}]})");
  return parsed.workflow;
}

std::vector<run_id> start_charging(actor_world& node, size_t count) {
  std::vector<std::shared_ptr<actor_world::started>> starts;
  for (size_t i = 0; i < count; ++i)
    starts.push_back(node.start(charging()));
  node.settle();
  std::vector<run_id> runs;
  for (const auto& each : starts)
    runs.push_back(each->run().run);
  return runs;
}

size_t calls_to_charge(const actor_world& node, const std::vector<run_id>& runs) {
  size_t count = 0;
  for (const auto& run : runs)
    count += node.calls->count(to_string(run) + "/charge");
  return count;
}

} // namespace

BOOST_AUTO_TEST_SUITE(lacking_nodes_test)

BOOST_AUTO_TEST_CASE(a_node_without_a_variable_takes_no_shards_while_unfinished_runs_need_it) {
  // Given
  shared_world world;
  auto& anna = world.add(with_variable());
  const auto runs = start_charging(anna, 64);
  // When
  auto& bert = world.add();
  world.advance(20 * one_beat);
  // Then: not one of them has gone to who could do nothing with it.
  BOOST_TEST(world.ready() == (counts{64, 0}), boost::test_tools::per_element());
  BOOST_TEST(living_node(world, 1).figures.lacks == "variable shop_url");
  BOOST_TEST(bert.wanting->counts().empty());
  // When they have ended, the node has its share after a while.
  anna.calls->answer("one", "{}");
  anna.settle();
  BOOST_TEST(calls_to_charge(anna, runs) == 64u);
  anna.calls->answer("charge", "{}");
  world.advance(5min);
  BOOST_TEST(world.ready() == (counts{64, 0}), boost::test_tools::per_element());
  world.advance(6min);
  BOOST_TEST(world.ready() == (counts{32, 32}), boost::test_tools::per_element());
  BOOST_TEST(living_node(world, 1).figures.lacks.empty());
  for (const auto& run : runs)
    BOOST_TEST(terminal_events(*world.database, run) == 1u);
}

BOOST_AUTO_TEST_CASE(runs_that_wait_for_what_their_node_lacks_go_to_one_that_has_it) {
  shared_world world;
  auto& anna = world.add(with_variable());
  auto& bert = world.add();
  world.advance(5 * one_beat);
  BOOST_TEST(world.ready() == (counts{32, 32}), boost::test_tools::per_element());
  const auto runs = start_charging(bert, 20);
  bert.calls->answer("one", "{}");
  bert.settle();
  BOOST_TEST((bert.wanting->counts() == std::map<std::string, size_t>{{"variable shop_url", 20}}));
  world.advance(20s);
  BOOST_TEST(world.ready() == (counts{64, 0}), boost::test_tools::per_element());
  BOOST_TEST(bert.wanting->counts().empty());
  BOOST_TEST(calls_to_charge(anna, runs) == 20u);
  anna.calls->answer("charge", "{}");
  world.advance(1s);
  for (const auto& run : runs)
    BOOST_TEST(terminal_events(*world.database, run) == 1u);
}

BOOST_AUTO_TEST_CASE(when_all_nodes_lack_it_no_run_is_left_alone) {
  shared_world world;
  auto& anna = world.add();
  const auto runs = start_charging(anna, 20);
  anna.calls->answer("one", "{}");
  world.advance(20s);
  BOOST_TEST(world.ready() == (counts{64}), boost::test_tools::per_element());
  BOOST_TEST((anna.wanting->counts() == std::map<std::string, size_t>{{"variable shop_url", 20}}));
  // One that has it relieves it.
  auto& bert = world.add(with_variable());
  world.advance(20s);
  BOOST_TEST(world.ready() == (counts{0, 64}), boost::test_tools::per_element());
  BOOST_TEST(calls_to_charge(bert, runs) == 20u);
}

BOOST_AUTO_TEST_CASE(what_no_unfinished_run_needs_keeps_a_node_from_nothing) {
  shared_world world;
  auto& anna = world.add(with_variable());
  const auto runs = start_charging(anna, 1);
  for (const auto* step : {"one", "charge"}) {
    anna.calls->answer(step, "{}");
    anna.settle();
  }
  world.add();
  world.advance(5 * one_beat);
  BOOST_TEST(world.ready() == (counts{32, 32}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
