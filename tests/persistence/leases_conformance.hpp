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
  /// Puts the database's clock back, as seen from the node's last heartbeat: that lies ahead by so much.
  virtual void put_clock_back(const uuid& node, std::chrono::milliseconds ahead) = 0;
  /// Lets a moment pass by the database's clock.
  virtual void pass() = 0;
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

inline void a_heartbeat_that_lies_ahead_by_more_than_a_lease_counts_as_expired(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().take(one.id, shard_count, false);
  bench.put_clock_back(one.id, long_lease / 2);
  bench.subject().join(two, long_lease);
  BOOST_TEST(bench.subject().take(two.id, shard_count, false).empty());
  BOOST_TEST(bench.subject().share(two.id).nodes_living == 2u);
  bench.put_clock_back(one.id, long_lease * 2);
  bench.subject().heartbeat(two.id, {});
  BOOST_TEST(bench.subject().share(two.id).nodes_living == 1u);
  BOOST_TEST(bench.subject().take(two.id, shard_count, false).size() == shard_count);
  BOOST_TEST(bench.subject().forget_expired(long_lease * 9) == 0u);
  BOOST_TEST(bench.subject().forget_expired(std::chrono::milliseconds(0)) == 1u);
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
  BOOST_TEST(bench.subject().heartbeat(bench_node(1).id, {}));
}

inline void a_late_heartbeat_keeps_what_nobody_took(leases_bench& bench) {
  const auto node = bench_node(1);
  bench.subject().join(node, long_lease);
  const auto taken = bench.subject().take(node.id, 1, false);
  bench.expire(node.id);
  BOOST_TEST(bench.subject().take(node.id, 1, false).empty());
  BOOST_TEST(bench.subject().heartbeat(node.id, {}));
  BOOST_TEST((bench.subject().owned(node.id) == taken));
}

inline void an_unknown_node_gets_nothing(leases_bench& bench) {
  BOOST_TEST(!bench.subject().heartbeat(bench_node(9).id, {}));
  BOOST_TEST(bench.subject().take(bench_node(9).id, shard_count, true).empty());
  BOOST_TEST(bench.subject().owned(bench_node(9).id).empty());
  BOOST_TEST(bench.subject().share(bench_node(9).id).nodes_living == 0u);
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

inline void shares_are_even_and_add_up(leases_bench& bench) {
  size_t living = 0;
  for (uint8_t n = 1; n <= 7; ++n) {
    bench.subject().join(bench_node(n), long_lease);
    bench.pass();
    ++living;
    size_t sum = 0;
    for (uint8_t each = 1; each <= n; ++each) {
      const auto share = bench.subject().share(bench_node(each).id);
      BOOST_TEST(share.nodes_living == living);
      BOOST_TEST(share.nodes_expired == 0u);
      BOOST_TEST(share.free == shard_count);
      BOOST_TEST(share.fair >= shard_count / living);
      BOOST_TEST(share.fair <= shard_count / living + 1);
      sum += share.fair;
    }
    BOOST_TEST(sum == shard_count);
  }
}

inline void whoever_was_there_first_by_the_databases_clock_has_one_more(leases_bench& bench) {
  // Ids are minted by the nodes' own clocks, which need not be right.
  for (const uint8_t n : {9, 5, 1}) {
    bench.subject().join(bench_node(n), long_lease);
    bench.pass();
  }
  BOOST_TEST(bench.subject().share(bench_node(9).id).fair == 22u);
  BOOST_TEST(bench.subject().share(bench_node(5).id).fair == 21u);
  BOOST_TEST(bench.subject().share(bench_node(1).id).fair == 21u);
  // To join again changes nothing.
  bench.subject().join(bench_node(9), long_lease);
  BOOST_TEST(bench.subject().share(bench_node(9).id).fair == 22u);
}

inline void an_expired_node_has_no_share_and_its_shards_are_free(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().join(two, long_lease);
  bench.subject().take(one.id, 30, false);
  BOOST_TEST(bench.subject().share(two.id).free == shard_count - 30u);
  bench.subject().take(two.id, 4, false);
  bench.expire(one.id);
  const auto share = bench.subject().share(two.id);
  BOOST_TEST(share.nodes_living == 1u);
  BOOST_TEST(share.nodes_expired == 1u);
  BOOST_TEST(share.fair == shard_count);
  BOOST_TEST(share.free == shard_count - 4u);
  BOOST_TEST(bench.subject().share(one.id).nodes_living == 0u);
  BOOST_TEST(bench.subject().share(one.id).fair == 0u);
  bench.subject().heartbeat(one.id, {});
  BOOST_TEST(bench.subject().share(two.id).nodes_living == 2u);
  BOOST_TEST(bench.subject().share(two.id).free == shard_count - 34u);
}

inline void what_is_released_is_taken_under_a_new_epoch(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().join(two, long_lease);
  bench.subject().take(one.id, 4, false);
  BOOST_TEST(bench.subject().release(one.id, {{1, 1}, {3, 1}}) == 2u);
  BOOST_TEST((bench.subject().owned(one.id) == std::vector<shard_lease>{{0, 1}, {2, 1}}));
  BOOST_TEST((bench.subject().take(two.id, 2, false) == std::vector<shard_lease>{{1, 2}, {3, 2}}));
  BOOST_TEST(bench.subject().release(one.id, {{1, 1}, {3, 1}}) == 0u);
  BOOST_TEST(bench.subject().owned(two.id).size() == 2u);
}

inline void only_ones_own_is_released_and_only_under_its_epoch(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().join(two, long_lease);
  bench.subject().take(one.id, 2, false);
  BOOST_TEST(bench.subject().release(two.id, {{0, 1}}) == 0u);
  BOOST_TEST(bench.subject().release(one.id, {{0, 7}, {1, 0}}) == 0u);
  BOOST_TEST(bench.subject().release(one.id, {}) == 0u);
  BOOST_TEST(bench.subject().owned(one.id).size() == 2u);
}

inline void nodes_that_expired_long_ago_are_forgotten(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().join(two, long_lease);
  bench.subject().take(one.id, 2, false);
  BOOST_TEST(bench.subject().forget_expired(std::chrono::milliseconds(0)) == 0u);
  bench.expire(one.id);
  BOOST_TEST(bench.subject().forget_expired(std::chrono::minutes(1)) == 0u);
  BOOST_TEST(bench.subject().forget_expired(std::chrono::milliseconds(0)) == 1u);
  BOOST_TEST(bench.subject().share(two.id).nodes_expired == 0u);
  BOOST_TEST(!bench.subject().heartbeat(one.id, {}));
  BOOST_TEST((bench.subject().take(two.id, 2, false) == std::vector<shard_lease>{{0, 2}, {1, 2}}));
}

inline void who_leaves_gives_everything_up_at_once(leases_bench& bench) {
  const auto one = bench_node(1);
  const auto two = bench_node(2);
  bench.subject().join(one, long_lease);
  bench.subject().join(two, long_lease);
  bench.subject().take(one.id, 5, false);
  bench.subject().leave(one.id);
  BOOST_TEST(bench.subject().owned(one.id).empty());
  BOOST_TEST(!bench.subject().heartbeat(one.id, {}));
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

inline void run_numbers_that_were_reserved_last_can_be_given_back(leases_bench& bench) {
  BOOST_TEST(bench.subject().reserve_run_numbers(100) == 1);
  BOOST_TEST(bench.subject().give_back_run_numbers(11, 101));
  BOOST_TEST(bench.subject().reserve_run_numbers(10) == 11);
  // Others have some since: these stay out.
  BOOST_TEST(!bench.subject().give_back_run_numbers(5, 11));
  BOOST_TEST(!bench.subject().give_back_run_numbers(30, 21));
  BOOST_TEST(bench.subject().reserve_run_numbers(1) == 21);
}

inline void an_unreachable_database_says_so(leases_bench& bench) {
  const auto node = bench_node(1);
  bench.subject().join(node, long_lease);
  bench.goes_away();
  BOOST_CHECK_THROW(bench.subject().join(node, long_lease), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().heartbeat(node.id, {}), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().take(node.id, 1, false), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().owned(node.id), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().share(node.id), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().release(node.id, {{0, 1}}), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().forget_expired(std::chrono::milliseconds(0)), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().leave(node.id), journal_unavailable);
  BOOST_CHECK_THROW(bench.subject().reserve_run_numbers(1), journal_unavailable);
  bench.comes_back();
  BOOST_TEST(bench.subject().heartbeat(node.id, {}));
}

} // namespace conformance

/// Every rule above, for whoever registers them.
#define LEVAIN_LEASES_RULES(rule)                                                                                      \
  rule(a_heartbeat_that_lies_ahead_by_more_than_a_lease_counts_as_expired) rule(a_new_node_owns_nothing)               \
    rule(free_shards_are_taken_under_a_new_epoch) rule(no_more_is_taken_than_asked_for)                                \
      rule(a_living_nodes_shards_stay_its_own) rule(an_expired_nodes_shards_are_taken_over)                            \
        rule(a_heartbeat_keeps_a_lease) rule(a_late_heartbeat_keeps_what_nobody_took)                                  \
          rule(an_unknown_node_gets_nothing) rule(the_sole_node_takes_what_living_ones_own)                            \
            rule(shares_are_even_and_add_up) rule(whoever_was_there_first_by_the_databases_clock_has_one_more) rule(   \
              an_expired_node_has_no_share_and_its_shards_are_free) rule(what_is_released_is_taken_under_a_new_epoch)  \
              rule(only_ones_own_is_released_and_only_under_its_epoch) rule(nodes_that_expired_long_ago_are_forgotten) \
                rule(who_leaves_gives_everything_up_at_once) rule(blocks_of_run_numbers_do_not_overlap)                \
                  rule(run_numbers_that_were_reserved_last_can_be_given_back) rule(an_unreachable_database_says_so)

} // namespace levain::test
