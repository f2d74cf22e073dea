// Starts at any node: the run begins where there is room, once, whatever becomes of the answer.
#include <boost/test/unit_test.hpp>

#include <caf/send.hpp>

#include "actors/workflow/parse_definition.hpp"
#include "tests/support/cluster_watch.hpp"
#include "tests/support/has.hpp"
#include "tests/support/peer_net.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

using reason = start_refused::reason_type;

start_acknowledged acknowledged(const peer_net::told<start_outcome>& told) {
  BOOST_TEST_REQUIRE(told->has_value(), "the start has no outcome yet");
  const auto* refused = std::get_if<start_refused>(&**told);
  BOOST_TEST_REQUIRE(refused == nullptr, (refused != nullptr ? refused->message : ""));
  return std::get<start_acknowledged>(**told);
}

start_refused refusal(const peer_net::told<start_outcome>& told) {
  BOOST_TEST_REQUIRE(told->has_value(), "the start has no outcome yet");
  BOOST_TEST_REQUIRE(std::holds_alternative<start_refused>(**told), "the start was acknowledged");
  return std::get<start_refused>(**told);
}

/// Nodes that share the shards but the first `without`, which drain.
class some_nodes : public peer_net {
public:
  explicit some_nodes(size_t count, size_t without = 0, const router_options& routing = {}) {
    for (size_t i = 0; i < count; ++i)
      add({}, routing);
    advance(5 * one_beat);
    for (size_t i = 0; i < without; ++i)
      ask_to_drain(node(i), id_of(i));
    advance(3 * one_beat);
    show({});
  }
  /// The routers know of so many free slots of each node; of enough where nothing is said.
  void show(std::vector<uint64_t> slots) {
    slots.resize(3, 100'000);
    know([&](cluster_view& view) {
      for (size_t i = 0; i < view.nodes.size(); ++i)
        view.nodes[i].figures.slots_free = slots[i];
    });
  }
  /// Which node acts for the run.
  size_t owner_of(const run_id& run) {
    const auto owner = view_of(world).owners[shard_of(run)];
    for (size_t i = 0;; ++i)
      if (owner == id_of(i))
        return i;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(router_starts_test)

BOOST_AUTO_TEST_CASE(a_start_at_a_node_with_room_stays_there) {
  some_nodes net(2);
  BOOST_TEST(net.owner_of(acknowledged(net.start(0)).run) == 0u);
  BOOST_TEST(net.owner_of(acknowledged(net.start(1)).run) == 1u);
  BOOST_TEST(net.asked() == 0u);
}

BOOST_AUTO_TEST_CASE(a_start_at_a_node_without_shards_goes_to_the_roomiest) {
  some_nodes net(3, 1);
  net.show({100'000, 10, 20});
  BOOST_TEST(net.owner_of(acknowledged(net.start(0)).run) == 2u);
  net.show({100'000, 20, 10});
  BOOST_TEST(net.owner_of(acknowledged(net.start(0)).run) == 1u);
  BOOST_TEST(net.asked() == 2u);
}

BOOST_AUTO_TEST_CASE(starts_that_were_sent_to_a_node_count_as_taken_slots) {
  some_nodes net(3, 1);
  net.show({100'000, 10, 11});
  std::vector<size_t> owners;
  for (int i = 0; i < 4; ++i)
    owners.push_back(net.owner_of(acknowledged(net.start(0)).run));
  BOOST_TEST(std::count(owners.begin(), owners.end(), 1u) == 2);
}

BOOST_AUTO_TEST_CASE(a_start_goes_to_a_node_with_so_many_more_free_slots) {
  some_nodes net(2, 0, {.imbalance_max = 1'000});
  net.show({99'001, 100'000});
  BOOST_TEST(net.owner_of(acknowledged(net.start(0)).run) == 0u);
  net.show({99'000, 100'000});
  BOOST_TEST(net.owner_of(acknowledged(net.start(0)).run) == 1u);
}

BOOST_AUTO_TEST_CASE(a_node_that_drains_is_sent_nothing) {
  some_nodes net(2, 0, {.imbalance_max = 10});
  net.know([&](cluster_view& view) {
    view.nodes[1].figures.slots_free = 100'000;
    view.nodes[1].draining = true;
  });
  BOOST_TEST(net.owner_of(acknowledged(net.start(0)).run) == 0u);
  BOOST_TEST(net.asked() == 0u);
}

BOOST_AUTO_TEST_CASE(a_start_that_another_node_cannot_be_asked_for_is_tried_here) {
  some_nodes net(2, 0, {.imbalance_max = 10});
  net.show({0, 100'000});
  net.cut(0, 1);
  BOOST_TEST(net.owner_of(acknowledged(net.start(0)).run) == 0u);
}

BOOST_AUTO_TEST_CASE(a_start_that_nobody_can_take_is_refused_as_here) {
  some_nodes net(2, 1);
  net.cut(0, 1);
  const auto refused = refusal(net.start(0));
  BOOST_TEST((refused.reason == reason::not_ready));
  BOOST_TEST(has(refused.message, "the node owns no shards"), refused.message);
  BOOST_TEST(refused.retry_after.has_value());
}

BOOST_AUTO_TEST_CASE(what_another_node_refuses_is_told_as_it_is) {
  some_nodes net(2, 1);
  acknowledged(net.start(0, [](start_request& x) { x.idempotency_key = "k"; }));
  const auto refused = refusal(net.start(0, [](start_request& x) {
    x.idempotency_key = "k";
    x.input = R"({"n":2})";
  }));
  BOOST_TEST((refused.reason == reason::key_conflict));
}

BOOST_AUTO_TEST_CASE(a_repeated_start_of_the_newest_version_is_recognised_across_nodes) {
  some_nodes net(2, 1);
  const auto keyed = [](start_request& x) {
    x.idempotency_key = "k";
    x.version_named = false;
  };
  const auto first = acknowledged(net.start(1, keyed));
  const auto newer =
    parse_definition(R"({"workflow": "two_steps", "version": 2, "steps": [{"name": "a", "call": {"simulate": {}}}]})")
      .workflow;
  net.node(0).workflows->put(newer, net.node(0).now());
  // The first node has no shards, so it asks the other one.
  net.know([](cluster_view& view) {
    for (auto& each : view.nodes)
      each.protocol_max = wire_protocol_max;
  });
  const auto again = acknowledged(net.start(0, [&](start_request& x) {
    keyed(x);
    x.workflow = newer;
  }));
  BOOST_TEST((again.run == first.run));
  BOOST_TEST(again.repeated);
}

BOOST_AUTO_TEST_CASE(a_start_whose_answer_is_lost_is_refused_with_words_on_the_key) {
  some_nodes net(2, 1);
  net.lose_answers(0, 1);
  const auto refused = refusal(net.start(0, [](start_request& x) { x.idempotency_key = "k"; }));
  BOOST_TEST((refused.reason == reason::not_ready));
  BOOST_TEST(refused.may_have_started);
  BOOST_TEST(has(refused.message, "ask again with the same idempotency key"), refused.message);
  net.mend();
  BOOST_TEST(acknowledged(net.start(0, [](start_request& x) { x.idempotency_key = "k"; })).repeated);
  BOOST_TEST(net.world.database->rows().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_start_with_the_same_key_at_two_nodes_makes_one_run) {
  some_nodes net(3, 1);
  std::vector<start_acknowledged> all;
  for (const size_t at : {1U, 0U, 2U})
    all.push_back(acknowledged(net.start(at, [](start_request& x) { x.idempotency_key = "k"; })));
  BOOST_TEST((all[1].run == all[0].run && all[2].run == all[0].run));
  BOOST_TEST((!all[0].repeated && all[1].repeated && all[2].repeated));
  BOOST_TEST(net.world.database->rows().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_started_elsewhere_has_all_that_was_asked_for) {
  some_nodes net(2, 1);
  const auto run = acknowledged(net.start(0, [](start_request& x) {
    x.run_type = "test";
    x.priority = "critical";
    x.triggered_by = "ann";
    x.input = R"({"n": 7})";
    x.metadata = R"({"oven": "left"})";
  }));
  const auto row = net.node(0).row(run.run);
  BOOST_TEST(row.priority == "critical");
  BOOST_TEST(row.triggered_by.value_or("") == "ann");
  net.node(1).check_row_equals_fold(run.run);
}

BOOST_AUTO_TEST_CASE(a_workflow_that_the_other_node_cannot_find_is_refused_for_a_time) {
  some_nodes net(2, 1);
  const auto unknown = parse_definition(
    R"({"workflow": "unknown", "version": 3, "steps": [{"name": "one", "call": {"function": {"name": "scripted"}}}]})");
  const auto refused = refusal(net.start(0, [&](start_request& x) { x.workflow = unknown.workflow; }));
  BOOST_TEST((refused.reason == reason::not_ready));
  BOOST_TEST(has(refused.message, "there is no version 3 of a workflow 'unknown'"), refused.message);
}

BOOST_AUTO_TEST_CASE(a_start_whose_fate_here_is_not_known_is_not_sent_elsewhere) {
  some_nodes net(2);
  auto& here = net.node(0);
  here.manners->on_append = [](const std::vector<run_append>&) { return model_fault::in_doubt_after_commit; };
  here.manners->can_resolve = [] { return false; };
  const auto told = net.start(0);
  BOOST_TEST(!told->has_value());
  // The node finds that its lease is gone.
  caf::anon_send(here.dispatch, shards_lost{});
  net.settle();
  BOOST_TEST(refusal(told).may_have_started);
  BOOST_TEST(net.asked() == 0u);
  BOOST_TEST(net.world.database->rows().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_start_that_another_owner_fences_is_sent_to_it) {
  some_nodes net(2);
  bool away = true;
  net.node(0).manners->on_append = [&away](const std::vector<run_append>&) {
    return away ? model_fault::transient : model_fault::none;
  };
  const auto told = net.start(0);
  model_leases(net.world.database).take(net.id_of(1), shard_count, true);
  away = false;
  net.advance(1s);
  BOOST_TEST(net.owner_of(acknowledged(told).run) == 1u);
  BOOST_TEST(net.asked() == 1u);
  BOOST_TEST(net.world.database->rows().size() == 1u);
}

BOOST_AUTO_TEST_CASE(starts_beyond_what_may_be_on_their_way_stay_here) {
  some_nodes net(2, 0, {.imbalance_max = 10, .routed_max = 1});
  net.show({0, 100'000});
  net.holds_requests = true;
  const auto sent = net.start(0);
  BOOST_TEST(net.owner_of(acknowledged(net.start(0)).run) == 0u);
  net.holds_requests = false;
  net.settle();
  BOOST_TEST(net.owner_of(acknowledged(sent).run) == 1u);
}

BOOST_AUTO_TEST_CASE(a_start_that_comes_back_to_a_router_that_has_ended_is_told_so) {
  some_nodes net(2);
  bool away = true;
  net.node(0).manners->on_append = [&away](const std::vector<run_append>&) {
    return away ? model_fault::transient : model_fault::none;
  };
  const auto told = net.start(0);
  net.end_router(0);
  model_leases(net.world.database).take(net.id_of(1), shard_count, true);
  away = false;
  net.advance(1s);
  BOOST_TEST(refusal(told).message == "the node is shutting down");
}

BOOST_AUTO_TEST_SUITE_END()
