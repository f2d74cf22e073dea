#pragma once

#include <boost/test/unit_test.hpp>

#include "persistence/journal.hpp"
#include "persistence/leases.hpp"

namespace levain::test {

/// What an implementation of the leases brings to be tested.
class leases_bench {
public:
  virtual ~leases_bench() = default;
  virtual leases& subject() = 0;
  /// Lets the node's lease run out by the database's clock.
  virtual void expire(const uuid& node) = 0;
  virtual void goes_away() = 0;
  virtual void comes_back() = 0;
};

namespace conformance {

inline constexpr std::chrono::milliseconds long_lease = std::chrono::hours(1);

inline node_record bench_node(uint8_t n) {
  node_record node;
  node.id.bytes[15] = n;
  node.name = "node " + std::to_string(n);
  node.address = "127.0.0.1:" + std::to_string(7000 + n);
  node.version = "0.1.0";
  return node;
}

inline void a_new_node_owns_nothing(leases_bench& bench) {
  bench.subject().join(bench_node(1), long_lease);
  BOOST_TEST(bench.subject().owned(bench_node(1).id).empty());
}

inline void free_shards_are_taken_under_a_new_epoch(leases_bench& bench) {
  const auto node = bench_node(1);
  bench.subject().join(node, long_lease);
  const auto taken = bench.subject().take(node.id, shard_count, false);
  BOOST_REQUIRE(taken.size() == shard_count);
  for (size_t i = 0; i < taken.size(); ++i)
    BOOST_TEST((taken[i] == shard_lease{static_cast<shard_number>(i), 1}));
  BOOST_TEST((bench.subject().owned(node.id) == taken));
  BOOST_TEST(bench.subject().take(node.id, shard_count, false).empty());
}

inline void no_more_is_taken_than_asked_for(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().join(two, long_lease);
  BOOST_TEST(bench.subject().take(one.id, 10, false).size() == 10u);
  BOOST_TEST(bench.subject().take(two.id, 10, false).size() == 10u);
  BOOST_TEST(bench.subject().take(one.id, 0, false).empty());
  BOOST_TEST(bench.subject().owned(one.id).size() == 10u);
  BOOST_TEST(bench.subject().take(one.id, 1000, false).size() == shard_count - 20u);
}

inline void a_living_nodes_shards_stay_its_own(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().join(two, long_lease);
  bench.subject().take(one.id, shard_count, false);
  BOOST_TEST(bench.subject().take(two.id, shard_count, false).empty());
}

inline void an_expired_nodes_shards_are_taken_over(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().join(two, long_lease);
  bench.subject().take(one.id, 3, false);
  bench.expire(one.id);
  const auto taken = bench.subject().take(two.id, 3, false);
  BOOST_TEST((taken == std::vector<shard_lease>{{0, 2}, {1, 2}, {2, 2}}));
  BOOST_TEST(bench.subject().owned(one.id).empty());
}

inline void a_heartbeat_keeps_a_lease(leases_bench& bench) {
  bench.subject().join(bench_node(1), long_lease);
  BOOST_TEST(bench.subject().heartbeat(bench_node(1).id));
}

inline void a_late_heartbeat_keeps_what_nobody_took(leases_bench& bench) {
  const auto node = bench_node(1);
  bench.subject().join(node, long_lease);
  const auto taken = bench.subject().take(node.id, 1, false);
  bench.expire(node.id);
  BOOST_TEST(bench.subject().take(node.id, 1, false).empty());
  BOOST_TEST(bench.subject().heartbeat(node.id));
  BOOST_TEST((bench.subject().owned(node.id) == taken));
}

inline void an_unknown_node_gets_nothing(leases_bench& bench) {
  BOOST_TEST(!bench.subject().heartbeat(bench_node(9).id));
  BOOST_TEST(bench.subject().take(bench_node(9).id, shard_count, true).empty());
  BOOST_TEST(bench.subject().owned(bench_node(9).id).empty());
}

inline void the_sole_node_takes_what_living_ones_own(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().join(two, long_lease);
  bench.subject().take(one.id, shard_count, false);
  const auto taken = bench.subject().take(two.id, shard_count, true);
  BOOST_REQUIRE(taken.size() == shard_count);
  BOOST_TEST(taken[0].epoch == 2);
  BOOST_TEST(bench.subject().owned(one.id).empty());
}

inline void who_leaves_gives_everything_up_at_once(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().join(two, long_lease);
  bench.subject().take(one.id, 5, false);
  bench.subject().leave(one.id);
  BOOST_TEST(bench.subject().owned(one.id).empty());
  BOOST_TEST(!bench.subject().heartbeat(one.id));
  const auto taken = bench.subject().take(two.id, 5, false);
  BOOST_TEST((taken == std::vector<shard_lease>{{0, 2}, {1, 2}, {2, 2}, {3, 2}, {4, 2}}));
  bench.subject().leave(one.id);
}

inline void blocks_of_run_numbers_do_not_overlap(leases_bench& bench) {
  BOOST_TEST(bench.subject().reserve_run_numbers(10) == 1);
  BOOST_TEST(bench.subject().reserve_run_numbers(1) == 11);
  BOOST_TEST(bench.subject().reserve_run_numbers(1000) == 12);
  BOOST_TEST(bench.subject().reserve_run_numbers(1) == 1012);
  BOOST_CHECK_THROW(bench.subject().reserve_run_numbers(0), std::invalid_argument);
}

inline void an_unreachable_database_says_so(leases_bench& bench) {
  const auto node = bench_node(1);
  bench.subject().join(node, long_lease);
  bench.goes_away();
  BOOST_CHECK_THROW(bench.subject().join(node, long_lease), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().heartbeat(node.id), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().take(node.id, 1, false), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().owned(node.id), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().leave(node.id), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().reserve_run_numbers(1), journal_unavailable);
  bench.comes_back();
  BOOST_TEST(bench.subject().heartbeat(node.id));
}

} // namespace conformance

/// Every rule above, for whoever registers them.
#define LEVAIN_LEASES_RULES(rule)                                                                                      \
  rule(a_new_node_owns_nothing) rule(free_shards_are_taken_under_a_new_epoch) rule(no_more_is_taken_than_asked_for)    \
    rule(a_living_nodes_shards_stay_its_own) rule(an_expired_nodes_shards_are_taken_over)                              \
      rule(a_heartbeat_keeps_a_lease) rule(a_late_heartbeat_keeps_what_nobody_took) rule(an_unknown_node_gets_nothing) \
        rule(the_sole_node_takes_what_living_ones_own) rule(who_leaves_gives_everything_up_at_once)                    \
          rule(blocks_of_run_numbers_do_not_overlap) rule(an_unreachable_database_says_so)

} // namespace levain::test
