#include "actors/lease_health.hpp"

#include <boost/test/unit_test.hpp>

using namespace levain;
using namespace std::chrono_literals;

namespace {

struct health_world {
  lease_health health;
  lease_health::steady_time now{};
  timestamp at{std::chrono::hours(1)};

  void begin() { health.begin(now, at); }
  std::string seen_after(std::chrono::milliseconds time) {
    const auto found = health.report(now + time);
    return found ? to_rfc3339(found->since).substr(11, 8) + " " + found->reason : "well";
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(lease_health_test, health_world)

BOOST_AUTO_TEST_CASE(a_heartbeat_that_fails_is_known_from_its_beginning_until_one_is_answered) {
  BOOST_TEST(seen_after(1h) == "well");
  begin();
  health.failed("connection refused");
  BOOST_TEST(seen_after(0ms) == "01:00:00 connection refused");
  at += std::chrono::seconds(10);
  begin();
  health.failed("no route to host");
  BOOST_TEST(seen_after(0ms) == "01:00:00 no route to host");
  begin();
  health.answered();
  BOOST_TEST(seen_after(1h) == "well");
}

BOOST_AUTO_TEST_CASE(a_heartbeat_without_an_answer_fails_when_its_time_is_over) {
  begin();
  BOOST_TEST(seen_after(2000ms) == "well");
  BOOST_TEST(seen_after(2001ms) == "01:00:00 it has not answered the node's heartbeat");
}

BOOST_AUTO_TEST_SUITE_END()
