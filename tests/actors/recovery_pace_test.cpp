// How fast a node takes up what another one left.
#include <boost/test/unit_test.hpp>

#include "tests/support/shared_world.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

workflow_ptr one_step() {
  return workflow_builder("one_step").step("one").call(function_call{"scripted"}).timeout(1h).build();
}

/// A node that died and left this many runs; its successor reads ten at a time.
class left_behind : public actor_world {
public:
  explicit left_behind(options settings)
    : actor_world(settings) {
    for (int i = 0; i < 100; ++i)
      start(one_step());
    settle();
    crash();
  }

  static options paced(size_t runs_per_second_max) {
    options settings;
    settings.recovery.page_runs_max = 10;
    settings.recovery.runs_per_second_max = runs_per_second_max;
    return settings;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(recovery_pace_test)

BOOST_AUTO_TEST_CASE(no_more_runs_are_taken_up_in_a_second_than_allowed) {
  left_behind world(left_behind::paced(20));
  world.boot();
  BOOST_TEST(world.status().runs_live == 10u);
  for (size_t second = 1; second <= 4; ++second) {
    world.advance(1s);
    // A page goes through at once, and the rate follows.
    BOOST_TEST(world.status().runs_live <= 10 + 20 * second);
    BOOST_TEST(world.status().runs_live >= 20 * second - 10);
  }
  world.advance(4s);
  BOOST_TEST(world.status().runs_live == 100u);
  BOOST_TEST(world.status().shards_recovering == 0u);
}

BOOST_AUTO_TEST_CASE(shards_that_are_through_take_new_runs_while_others_are_recovered) {
  left_behind world(left_behind::paced(20));
  world.boot();
  world.advance(2s);
  const auto status = world.status();
  BOOST_TEST(status.shards_ready > 0u);
  BOOST_TEST(status.shards_recovering > 0u);
  BOOST_TEST(status.shards_ready + status.shards_recovering == shard_count);
  BOOST_TEST(status.runs_recovered == status.runs_live);
  auto start = world.start(one_step());
  world.settle();
  world.row(start->run().run);
}

BOOST_AUTO_TEST_CASE(recovery_is_slow_while_too_much_waits_for_the_database_and_goes_on) {
  left_behind world(left_behind::paced(1'000'000));
  const auto limit = recovery_options{}.appends_waiting_max;
  world.writer_status->waiting += limit + 1;
  world.boot();
  world.advance(900ms);
  BOOST_TEST(world.status().runs_live == 0u);
  // A page in about a second, however long it goes on.
  world.advance(5s);
  BOOST_TEST(world.status().runs_live >= 40u);
  BOOST_TEST(world.status().runs_live <= 60u);
  world.writer_status->waiting -= 1;
  world.advance(1s);
  BOOST_TEST(world.status().runs_live == 100u);
}

BOOST_AUTO_TEST_CASE(further_shards_are_taken_up_though_appends_wait_all_the_time) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  const auto runs = start_many(second, 30);
  const auto mine = first.status().shards_ready;
  BOOST_TEST(mine == 32u);
  first.writer_status->waiting += recovery_options{}.appends_waiting_max + 1;
  second.crash();
  // The lease of the other runs out, and then each page takes about a second.
  world.advance(16s);
  BOOST_TEST(first.status().shards_ready == size_t{shard_count});
  BOOST_TEST(first.status().runs_live == 30u);
  first.writer_status->waiting -= recovery_options{}.appends_waiting_max + 1;
}

BOOST_AUTO_TEST_SUITE_END()
