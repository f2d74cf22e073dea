#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <variant>

#include <caf/send.hpp>

#include "persistence/model_leases.hpp"
#include "tests/support/shared_world.hpp"

namespace levain::test {

/// What the database of a world says of its nodes.
inline cluster_view view_of(const shared_world& world) {
  return model_leases(world.database).view();
}

/// The living node that joined as the n-th, from 0.
inline node_view living_node(const shared_world& world, size_t n) {
  auto nodes = view_of(world).nodes;
  std::erase_if(nodes, [](const node_view& each) { return !each.alive; });
  BOOST_TEST_REQUIRE(n < nodes.size());
  return nodes[n];
}

using drain_answer = std::variant<bool, std::string>;

/// Asks the lease keeper of `asked` to drain any node; answers what it says.
inline std::optional<drain_answer> ask_to_drain(actor_world& asked, const uuid& node, bool draining = true) {
  auto told = std::make_shared<std::optional<drain_answer>>();
  caf::anon_send(
    asked.lease_keeper_handle, drain_node{node, draining, [told](drain_answer x) { *told = std::move(x); }});
  asked.settle();
  return *told;
}

/// Asks the lease keeper to hand all shards over; what it says comes when it does.
inline std::shared_ptr<std::optional<all_handed_over>> end_in_order(actor_world& node) {
  auto told = std::make_shared<std::optional<all_handed_over>>();
  caf::anon_send(node.lease_keeper_handle, hand_all_over{[told](all_handed_over x) {
                   BOOST_TEST(!told->has_value(), "the end of a hand-over is told twice");
                   *told = std::move(x);
                 }});
  node.settle();
  return told;
}

/// Every step's calls of these runs, over two nodes.
inline size_t calls_of(const actor_world& one, const actor_world& other, const run_id& run, const std::string& step) {
  const auto key = to_string(run) + "/" + step;
  return one.calls->count(key) + other.calls->count(key);
}

} // namespace levain::test
