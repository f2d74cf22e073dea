// What a lease keeper does out of turn, and what it tells others of its node.
#include <boost/test/unit_test.hpp>

#include <caf/send.hpp>

#include "tests/support/cluster_watch.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

using counts = std::vector<size_t>;

/// Counts how often the node has looked.
actor_world::options counting_looks(const std::shared_ptr<size_t>& count) {
  actor_world::options settings;
  settings.change_leases = [count](lease_beginning& x) {
    x.viewed = [count](const cluster_view&, const uuid&) { ++*count; };
  };
  return settings;
}

void look_closely_at(actor_world& node) {
  caf::anon_send(node.lease_keeper_handle, look_closely{});
  node.settle();
}

} // namespace

BOOST_AUTO_TEST_SUITE(lease_looks_test)

BOOST_AUTO_TEST_CASE(what_a_peer_had_is_taken_as_soon_as_its_lease_has_run_out_and_no_sooner) {
  // Given: a node that dies right after its heartbeat, which is the worst moment.
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  const auto dead = living_node(world, 1).id;
  const auto silence = [&] {
    for (const auto& each : view_of(world).nodes)
      if (each.id == dead)
        return each.silent;
    throw std::logic_error("the node is not known");
  };
  while (silence() > 0ms)
    world.advance(10ms);
  second.crash();
  // When
  look_closely_at(first);
  world.advance(4900ms);
  BOOST_TEST(first.status().shards_ready == 32u);
  // Then
  while (first.status().shards_ready == 32u && silence() < 10s)
    world.advance(10ms);
  BOOST_TEST(first.status().shards_ready == size_t{shard_count});
  BOOST_TEST(silence().count() > 5000);
  BOOST_TEST(silence().count() <= 5270);
}

BOOST_AUTO_TEST_CASE(looking_closely_ends_after_a_lease_and_a_second) {
  shared_world world;
  const auto looks = std::make_shared<size_t>(0);
  auto& node = world.add(counting_looks(looks));
  world.advance(15s);
  const auto usual = *looks;
  look_closely_at(node);
  world.advance(15s);
  const auto closely = *looks - 2 * usual;
  BOOST_TEST(closely >= 23u);
  BOOST_TEST(closely <= 25u);
  world.advance(15s);
  BOOST_TEST(*looks - 2 * usual - closely == usual - 1); // The first one was at the beginning of all.
}

BOOST_AUTO_TEST_CASE(another_death_prolongs_the_looks_and_does_not_double_them) {
  shared_world world;
  const auto looks = std::make_shared<size_t>(0);
  auto& node = world.add(counting_looks(looks));
  world.advance(100ms);
  look_closely_at(node);
  look_closely_at(node);
  const auto before = *looks;
  world.advance(1s);
  BOOST_TEST(*looks - before <= 5u);
  look_closely_at(node);
  world.advance(5500ms);
  const auto later = *looks;
  world.advance(500ms);
  BOOST_TEST(*looks > later);
}

BOOST_AUTO_TEST_CASE(news_of_free_shards_are_looked_at_once_however_many_they_are) {
  shared_world world;
  const auto looks = std::make_shared<size_t>(0);
  auto& node = world.add(counting_looks(looks));
  const auto before = *looks;
  for (int i = 0; i < 100; ++i)
    caf::anon_send(node.lease_keeper_handle, shards_freed_elsewhere{});
  node.settle();
  BOOST_TEST(*looks - before == 1u);
  caf::anon_send(node.lease_keeper_handle, shards_freed_elsewhere{});
  node.settle();
  BOOST_TEST(*looks - before == 2u);
}

BOOST_AUTO_TEST_CASE(a_node_that_comes_and_goes_moves_nothing_however_often_the_others_look) {
  shared_world world;
  auto& node = world.add();
  world.advance(2 * one_beat);
  const auto before = world.epochs();
  model_leases visitor(world.database);
  node_record record;
  record.id.bytes[0] = 0xff;
  visitor.join(record, 5s);
  look_closely_at(node);
  world.advance(one_beat - 100ms);
  visitor.leave(record.id);
  world.advance(10 * one_beat);
  BOOST_TEST(world.epochs() == before, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(others_see_what_a_node_says_of_itself) {
  shared_world world;
  const auto seen = std::make_shared<cluster_view>();
  const auto self = std::make_shared<uuid>();
  auto settings = actor_world::options{};
  settings.change_leases = [seen, self](lease_beginning& x) {
    x.figures = [] { return node_figures{1, 2, 3, 4.5, 5, 6}; };
    x.viewed = [seen, self](const cluster_view& view, const uuid& id) {
      *seen = view;
      *self = id;
    };
  };
  auto& node = world.add(settings);
  world.add();
  caf::anon_send(node.lease_keeper_handle, announce_gate{"127.0.0.1:7500", 2, 3});
  world.advance(2 * one_beat);
  BOOST_TEST((living_node(world, 0).figures == node_figures{1, 2, 3, 4.5, 5, 6}));
  BOOST_TEST_REQUIRE(seen->nodes.size() == 2u);
  BOOST_TEST(seen->nodes[0].name == "world");
  BOOST_TEST(seen->nodes[0].cluster_address == "127.0.0.1:7500");
  BOOST_TEST(seen->nodes[0].protocol_max == 3u);
  BOOST_TEST((seen->nodes[0].id == *self));
  BOOST_TEST(seen->owners[0].has_value());
}

BOOST_AUTO_TEST_CASE(the_dispatcher_tells_its_figures_as_they_are) {
  actor_world::options settings;
  settings.dispatcher.runs_running_max = 3;
  actor_world node(settings);
  auto& figures = *node.run_figures;
  BOOST_TEST(figures.slots_free.load() == 3u);
  start_many(node, 5);
  BOOST_TEST(figures.runs_live.load() == 5u);
  BOOST_TEST(figures.runs_waiting.load() == 2u);
  BOOST_TEST(figures.slots_free.load() == 0u);
  for (const auto* step : {"one", "two", "one", "two"}) {
    node.calls->answer(step, "{}");
    node.settle();
  }
  BOOST_TEST(figures.runs_ended.load() == 5u);
  BOOST_TEST(figures.runs_live.load() == 0u);
  BOOST_TEST(figures.slots_free.load() == 3u);
}

BOOST_AUTO_TEST_CASE(a_node_that_nobody_here_understands_gives_up_and_says_why) {
  shared_world world;
  model_leases visitor(world.database);
  node_record stranger;
  stranger.name = "stranger";
  stranger.protocol_min = 9;
  stranger.protocol_max = 9;
  visitor.join(stranger, 1h);
  const auto reason = std::make_shared<std::string>();
  actor_world::options settings;
  settings.change_leases = [reason](lease_beginning& x) {
    x.node.protocol_min = 1;
    x.node.protocol_max = 2;
    x.refused = [reason](const std::string& why) { *reason += why; };
  };
  auto& node = world.add(settings);
  world.advance(10s);
  BOOST_TEST(reason->find("'stranger'") != std::string::npos, *reason);
  // Once: it does not try again.
  BOOST_TEST(reason->find("'stranger'") == reason->rfind("'stranger'"), *reason);
  BOOST_TEST(node.status().shards_ready == 0u);
  BOOST_TEST(view_of(world).nodes.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
