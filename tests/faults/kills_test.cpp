#include <boost/test/unit_test.hpp>
#include <iostream>
#include <random>

#include "tests/faults/fault_checks.hpp"
#include "tests/support/bakery_night.hpp"
#include "tests/support/seed.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr int kills = 32;
/// Every so many kills one meets a daemon that has only begun to start.
constexpr int early_every = 6;
/// What the ledger grows by between two kills, at most: some four hundred calls.
constexpr size_t ledger_bytes_max = 120'000;
/// A life of a daemon that is not to become ready, at most: about as long as it takes to join, recover and begin.
constexpr int early_milliseconds_max = 600;

/// A successor need not wait for long.
const std::vector<std::string> short_lease{"--lease-duration", "400ms", "--heartbeat-interval", "100ms"};

} // namespace

BOOST_AUTO_TEST_SUITE(kills_test)

BOOST_AUTO_TEST_CASE(nothing_is_lost_or_done_twice_however_often_the_daemon_is_killed) {
  std::mt19937_64 random(announced_seed());
  const auto drawn = [&](size_t max) { return std::uniform_int_distribution<size_t>(0, max)(random); };

  // Given
  bakery_night night({.faults = usual_faults(), .daemon_arguments = short_lease});
  BOOST_TEST_REQUIRE(night.begin(100));

  // When: the daemon is killed at moments that nobody chooses, while callers start runs and services are called.
  for (int killed = 1; killed <= kills; ++killed) {
    if (killed % early_every == 0) {
      const auto life = std::chrono::milliseconds(drawn(early_milliseconds_max));
      const auto end = night.daemon().program().wait(life);
      BOOST_TEST(!end.has_value(), night.daemon().program().errors());
    } else {
      const auto until = night.bakery().ledger_bytes() + drawn(ledger_bytes_max);
      BOOST_TEST(
        eventually([&] { return night.bakery().ledger_bytes() > until; }, generous),
        "after " << killed - 1 << " kills nothing is called: " << night.daemon().program().errors());
    }
    night.kill_daemon();
    night.start_daemon();
  }

  // Then: and it recovers.
  std::cout << "survived " << kills << " kills" << std::endl;
  BOOST_TEST(night.callers_are_served());
  for (const auto& each : night.what_is_wrong())
    BOOST_ERROR(each);
}

BOOST_AUTO_TEST_SUITE_END()
