// What can happen on the way between a daemon and its database.
#include <boost/test/unit_test.hpp>
#include <iostream>
#include <random>

#include "tests/faults/fault_checks.hpp"
#include "tests/support/bakery_night.hpp"
#include "tests/support/database_gate.hpp"
#include "tests/support/seed.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// Commits, answers and halves of answers that are lost, of each.
constexpr int losses = 12;
/// What a server answers to a commit: its tag, and that it is ready for more.
constexpr size_t commit_answer_bytes = 18;
/// A session that has prepared its statements has used some 10,000.
constexpr size_t passage_bytes_max = 150'000;
constexpr size_t cuts = 40;
constexpr size_t refusals_that_tell = 5;

/// A night whose daemon reaches its database through a gate.
struct gated_night {
  gated_night() { BOOST_TEST_REQUIRE(night.begin(50, gate.url())); }

  /// And it recovers. The daemon was there all the time, so every call was made once.
  void check_recovered() {
    gate.reopen();
    BOOST_TEST(night.callers_are_served());
    for (const auto& each : night.what_is_wrong())
      BOOST_ERROR(each);
  }

  bakery_night night{{.faults = usual_faults(), .daemon_arguments = {"--journal-retry-interval-max", "500ms"}}};
  database_gate gate{night.database_url()};
};

} // namespace

BOOST_AUTO_TEST_SUITE(database_gate_test)

BOOST_FIXTURE_TEST_CASE(a_slow_way_to_the_database_only_takes_longer, gated_night) {
  gate.delay(40ms);
  BOOST_TEST(night.callers_are_served());
  BOOST_TEST(night.services_are_called());
  BOOST_TEST(night.daemon().ready());
  check_recovered();
}

BOOST_FIXTURE_TEST_CASE(a_commit_cut_anywhere_is_neither_lost_nor_doubled, gated_night) {
  std::mt19937_64 random(announced_seed());
  std::uniform_int_distribution<size_t> answer_bytes(0, commit_answer_bytes - 1);
  const auto lose = [&](const std::function<void()>& ask) {
    const auto before = gate.connections_cut();
    ask();
    BOOST_TEST(eventually([&] { return gate.connections_cut() > before; }, generous));
  };
  for (int i = 0; i < losses; ++i) {
    lose([&] { gate.lose_next_commit(); });
    lose([&] { gate.lose_next_answer(); });
    lose([&] { gate.lose_next_answer(answer_bytes(random)); });
  }
  check_recovered();
}

BOOST_FIXTURE_TEST_CASE(connections_that_break_after_any_number_of_bytes_are_survived, gated_night) {
  gate.cut_after(passage_bytes_max, announced_seed());
  BOOST_TEST(
    eventually([&] { return gate.connections_cut() >= cuts; }, generous), gate.connections_cut()
                                                                            << " connections were cut");
  check_recovered();
}

BOOST_FIXTURE_TEST_CASE(refused_connections_are_tried_again, gated_night) {
  for (int round = 0; round < 3; ++round) {
    gate.shut();
    BOOST_TEST(eventually([&] { return !night.daemon().ready(); }, generous));
    const auto refused = night.callers().refused();
    BOOST_TEST(eventually([&] { return night.callers().refused() >= refused + refusals_that_tell; }, generous));
    gate.reopen();
    BOOST_TEST(night.callers_are_served());
  }
  check_recovered();
}

BOOST_FIXTURE_TEST_CASE(a_way_that_swallows_everything_is_given_up, gated_night) {
  gate.swallow();
  BOOST_TEST(eventually([&] { return !night.daemon().ready(); }, generous));
  const auto refused = night.callers().refused();
  BOOST_TEST(eventually([&] { return night.callers().refused() >= refused + refusals_that_tell; }, generous));
  // What was swallowed stays lost, and nobody closes those connections but the daemon.
  BOOST_TEST(gate.open_connections() > 0U);
  gate.reopen();
  check_recovered();
}

BOOST_AUTO_TEST_SUITE_END()
