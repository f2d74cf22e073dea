#pragma once

#include <algorithm>

#include "tests/persistence/leases_conformance.hpp"

// What an implementation of the leases has to say of the nodes as a cluster: the continuation of
// `leases_conformance.hpp`.

namespace levain::test {

namespace conformance {

inline node_record gate_node(uint8_t n, uint32_t protocol_min, uint32_t protocol_max) {
  auto node = bench_node(n);
  node.cluster_address = "127.0.0.1:" + std::to_string(7500 + n);
  node.protocol_min = protocol_min;
  node.protocol_max = protocol_max;
  node.schema_version = 11;
  return node;
}

/// What the view has of the node; fails the test when it has nothing.
inline node_view seen(leases_bench& bench, const uuid& node) {
  const auto all = bench.subject().view().nodes;
  const auto found = std::find_if(all.begin(), all.end(), [&](const node_view& each) { return each.id == node; });
  BOOST_TEST_REQUIRE((found != all.end()));
  return *found;
}

inline size_t fair_of(leases_bench& bench, uint8_t n) {
  return bench.subject().share(bench_node(n).id).fair;
}

inline std::string refusal_of(leases_bench& bench, const node_record& node) {
  try {
    bench.subject().join(node, long_lease);
  } catch (const join_refused& refused) {
    return refused.what();
  }
  return {};
}

inline void a_node_is_seen_as_it_joined(leases_bench& bench) {
  const auto node = gate_node(1, 2, 5);
  bench.subject().join(node, long_lease);
  const auto view = seen(bench, node.id);
  BOOST_TEST(view.name == node.name);
  BOOST_TEST(view.address == node.address);
  BOOST_TEST(view.cluster_address == node.cluster_address);
  BOOST_TEST(view.version == node.version);
  BOOST_TEST(view.protocol_min == 2u);
  BOOST_TEST(view.protocol_max == 5u);
  BOOST_TEST(view.schema_version == 11);
  BOOST_TEST(!view.draining);
  BOOST_TEST(view.alive);
  BOOST_TEST(view.shards == 0u);
  BOOST_TEST((view.silent >= std::chrono::milliseconds(0) && view.silent < std::chrono::minutes(1)));
  BOOST_TEST((view.age >= view.silent));
  BOOST_TEST((view.figures == node_figures{}));
}

inline void figures_come_with_the_heartbeat(leases_bench& bench) {
  const auto node = bench_node(1);
  bench.subject().join(node, long_lease);
  const node_figures figures{7, 3, 99'993, 12.25, 40, 5};
  BOOST_TEST(bench.subject().heartbeat(node.id, figures));
  BOOST_TEST((seen(bench, node.id).figures == figures));
}

inline void owners_are_seen_with_their_shards(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.pass();
  bench.subject().join(two, long_lease);
  bench.subject().take(one.id, 2, false);
  bench.subject().take(two.id, shard_count - 3, false);
  const auto view = bench.subject().view();
  BOOST_TEST_REQUIRE(view.nodes.size() == 2u);
  BOOST_TEST((view.nodes[0].id == one.id));
  BOOST_TEST(view.nodes[0].shards == 2u);
  BOOST_TEST(view.nodes[1].shards == shard_count - 3u);
  BOOST_TEST((view.owners[1] == one.id));
  BOOST_TEST((view.owners[2] == two.id));
  BOOST_TEST((view.owners[62] == two.id));
  BOOST_TEST(!view.owners[63].has_value());
}

inline void the_last_shard_is_seen_like_the_others(leases_bench& bench) {
  bench.subject().join(bench_node(1), long_lease);
  bench.subject().take(bench_node(1).id, shard_count, false);
  const auto view = bench.subject().view();
  BOOST_TEST(view.nodes.at(0).shards == size_t{shard_count});
  BOOST_TEST((view.owners[63] == bench_node(1).id));
}

inline void the_oldest_node_is_seen_first(leases_bench& bench) {
  for (const uint8_t n : {9, 5, 1}) {
    bench.subject().join(bench_node(n), long_lease);
    bench.pass();
  }
  const auto view = bench.subject().view();
  BOOST_TEST_REQUIRE(view.nodes.size() == 3u);
  BOOST_TEST((view.nodes[0].id == bench_node(9).id));
  BOOST_TEST((view.nodes[2].id == bench_node(1).id));
}

inline void a_dead_node_is_seen_with_its_shards_until_it_is_forgotten(leases_bench& bench) {
  const auto one = bench_node(1);
  bench.subject().join(one, long_lease);
  bench.subject().take(one.id, 3, false);
  bench.expire(one.id);
  const auto dead = seen(bench, one.id);
  BOOST_TEST(!dead.alive);
  BOOST_TEST(dead.shards == 3u);
  BOOST_TEST((dead.silent >= long_lease));
  bench.subject().forget_expired(std::chrono::milliseconds(0));
  const auto view = bench.subject().view();
  BOOST_TEST(view.nodes.empty());
  BOOST_TEST(!view.owners[0].has_value());
}

inline void a_draining_node_has_no_share_and_the_others_have_it(leases_bench& bench) {
  for (uint8_t n = 1; n <= 4; ++n) {
    bench.subject().join(bench_node(n), long_lease);
    bench.pass();
  }
  BOOST_TEST(bench.subject().set_draining(bench_node(1).id, true));
  const auto share = bench.subject().share(bench_node(1).id);
  BOOST_TEST(share.draining);
  BOOST_TEST(!share.all_drain);
  BOOST_TEST(share.fair == 0u);
  BOOST_TEST(share.nodes_living == 4u);
  BOOST_TEST(fair_of(bench, 2) == 22u);
  BOOST_TEST(fair_of(bench, 3) == 21u);
  BOOST_TEST(fair_of(bench, 4) == 21u);
  BOOST_TEST(!bench.subject().share(bench_node(2).id).draining);
  BOOST_TEST(seen(bench, bench_node(1).id).draining);
  BOOST_TEST(bench.subject().set_draining(bench_node(1).id, false));
  BOOST_TEST(fair_of(bench, 1) == 16u);
  BOOST_TEST(!seen(bench, bench_node(1).id).draining);
}

inline void when_all_drain_shares_are_as_if_none_did(leases_bench& bench) {
  for (uint8_t n = 1; n <= 3; ++n) {
    bench.subject().join(bench_node(n), long_lease);
    bench.pass();
    bench.subject().set_draining(bench_node(n).id, true);
  }
  BOOST_TEST(fair_of(bench, 1) == 22u);
  BOOST_TEST(fair_of(bench, 2) == 21u);
  BOOST_TEST(fair_of(bench, 3) == 21u);
  BOOST_TEST(bench.subject().share(bench_node(1).id).all_drain);
  // One that could take is enough.
  bench.subject().join(bench_node(4), long_lease);
  BOOST_TEST(fair_of(bench, 1) == 0u);
  BOOST_TEST(fair_of(bench, 4) == size_t{shard_count});
  BOOST_TEST(!bench.subject().share(bench_node(4).id).all_drain);
}

inline void dead_nodes_that_drained_count_for_nothing(leases_bench& bench) {
  bench.subject().join(bench_node(1), long_lease);
  bench.pass();
  bench.subject().join(bench_node(2), long_lease);
  bench.subject().set_draining(bench_node(2).id, true);
  BOOST_TEST(!bench.subject().share(bench_node(2).id).all_drain);
  bench.expire(bench_node(1).id);
  BOOST_TEST(bench.subject().share(bench_node(2).id).all_drain);
  BOOST_TEST(fair_of(bench, 2) == size_t{shard_count});
}

inline void draining_lasts_through_another_joining_and_is_brought_along(leases_bench& bench) {
  auto node = bench_node(1);
  bench.subject().join(node, long_lease);
  bench.subject().set_draining(node.id, true);
  bench.subject().join(node, long_lease);
  BOOST_TEST(seen(bench, node.id).draining);
  auto fenced = bench_node(2);
  fenced.draining = true;
  bench.subject().join(fenced, long_lease);
  BOOST_TEST(seen(bench, fenced.id).draining);
  BOOST_TEST(!bench.subject().set_draining(bench_node(9).id, true));
}

inline void who_joins_as_a_former_node_takes_its_place_and_its_mark(leases_bench& bench) {
  for (const bool marked : {true, false}) {
    const auto former = bench_node(marked ? 1 : 3);
    auto next = bench_node(marked ? 2 : 4);
    bench.subject().join(former, long_lease);
    bench.subject().take(former.id, 3, false);
    bench.subject().set_draining(former.id, marked);
    // What the database knows counts, not what the node heard of last.
    next.draining = !marked;
    bench.subject().join(next, long_lease, former.id);
    BOOST_TEST(seen(bench, next.id).draining == marked);
    BOOST_TEST(!bench.subject().set_draining(former.id, !marked));
    // Its answer was lost, and it joins again.
    bench.subject().join(next, long_lease, former.id);
    BOOST_TEST(seen(bench, next.id).draining == marked);
    BOOST_TEST(bench.subject().share(next.id).free == size_t{shard_count});
    bench.subject().leave(former.id);
    bench.subject().leave(next.id);
  }
  // Nobody knows the former one: what the node says counts.
  auto next = bench_node(5);
  next.draining = true;
  bench.subject().join(next, long_lease, bench_node(6).id);
  BOOST_TEST(seen(bench, next.id).draining);
}

inline void a_node_that_lacks_something_has_no_share_and_the_others_have_it(leases_bench& bench) {
  auto lacking = bench_node(1);
  lacking.lacks = "variable shop_url";
  bench.subject().join(lacking, long_lease);
  BOOST_TEST(bench.subject().share(lacking.id).all_drain);
  BOOST_TEST(fair_of(bench, 1) == size_t{shard_count});
  bench.pass();
  bench.subject().join(bench_node(2), long_lease);
  const auto share = bench.subject().share(lacking.id);
  BOOST_TEST(share.fair == 0u);
  BOOST_TEST(!share.draining);
  BOOST_TEST(!share.all_drain);
  BOOST_TEST(fair_of(bench, 2) == size_t{shard_count});
  BOOST_TEST(seen(bench, lacking.id).figures.lacks == "variable shop_url");
  // A heartbeat says it anew.
  node_figures figures;
  BOOST_TEST(bench.subject().heartbeat(lacking.id, figures));
  BOOST_TEST(fair_of(bench, 1) == 32u);
  figures.lacks = "gate for workers";
  BOOST_TEST(bench.subject().heartbeat(lacking.id, figures));
  BOOST_TEST(fair_of(bench, 1) == 0u);
}

inline void nodes_that_speak_no_common_protocol_do_not_join(leases_bench& bench) {
  bench.subject().join(gate_node(1, 2, 3), long_lease);
  bench.subject().join(gate_node(2, 3, 4), long_lease);
  auto newer = gate_node(3, 4, 6);
  newer.version = "0.9.0";
  const auto reason = refusal_of(bench, newer);
  for (const auto* words :
       {"'node 3' (levain 0.9.0) speaks version 4 to 6", "'node 1' (levain 0.1.0) speaks 2 to 3", "speaks 3 can join"})
    BOOST_TEST(reason.find(words) != std::string::npos, words << " in: " << reason);
  BOOST_TEST(reason.find("'node 2'") == std::string::npos, reason);
  BOOST_TEST(!bench.subject().heartbeat(newer.id, {}));
  BOOST_TEST(refusal_of(bench, gate_node(4, 1, 3)).empty());
  BOOST_TEST(!refusal_of(bench, gate_node(5, 1, 1)).empty());
}

inline void who_has_no_gate_gets_on_with_everybody(leases_bench& bench) {
  bench.subject().join(bench_node(1), long_lease);
  bench.subject().join(gate_node(2, 7, 7), long_lease);
  bench.subject().join(bench_node(3), long_lease);
  BOOST_TEST(bench.subject().view().nodes.size() == 3u);
}

inline void the_dead_keep_nobody_from_joining(leases_bench& bench) {
  bench.subject().join(gate_node(1, 1, 1), long_lease);
  BOOST_TEST(!refusal_of(bench, gate_node(2, 2, 2)).empty());
  bench.expire(bench_node(1).id);
  BOOST_TEST(refusal_of(bench, gate_node(2, 2, 2)).empty());
}

inline void an_unreachable_database_shows_nothing(leases_bench& bench) {
  const auto node = bench_node(1);
  bench.subject().join(node, long_lease);
  bench.goes_away();
  BOOST_CHECK_THROW(bench.subject().view(), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().set_draining(node.id, true), journal_unavailable);
  bench.comes_back();
  BOOST_TEST(!seen(bench, node.id).draining);
}

} // namespace conformance

/// Every rule above, for whoever registers them.
#define LEVAIN_LEASES_CLUSTER_RULES(rule)                                                                              \
  rule(a_node_is_seen_as_it_joined) rule(figures_come_with_the_heartbeat) rule(owners_are_seen_with_their_shards)      \
    rule(the_last_shard_is_seen_like_the_others) rule(the_oldest_node_is_seen_first)                                   \
      rule(a_dead_node_is_seen_with_its_shards_until_it_is_forgotten)                                                  \
        rule(a_draining_node_has_no_share_and_the_others_have_it) rule(when_all_drain_shares_are_as_if_none_did)       \
          rule(dead_nodes_that_drained_count_for_nothing)                                                              \
            rule(draining_lasts_through_another_joining_and_is_brought_along)                                          \
              rule(who_joins_as_a_former_node_takes_its_place_and_its_mark)                                            \
                rule(a_node_that_lacks_something_has_no_share_and_the_others_have_it)                                  \
                  rule(nodes_that_speak_no_common_protocol_do_not_join) rule(who_has_no_gate_gets_on_with_everybody)   \
                    rule(the_dead_keep_nobody_from_joining) rule(an_unreachable_database_shows_nothing)

} // namespace levain::test
