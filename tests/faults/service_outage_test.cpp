// Services that are down, slow, and there and gone again.
#include <boost/test/unit_test.hpp>
#include <pqxx/pqxx>
#include <random>

#include "tests/faults/fault_checks.hpp"
#include "tests/support/bakery_night.hpp"
#include "tests/support/seed.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr int outages = 4;
constexpr int flaps = 12;
/// Failed attempts that tell that an outage is felt.
constexpr size_t failures_that_tell = 40;
/// Much longer than an attempt may take.
constexpr auto slow = 1800ms;

/// A night whose attempts may take a second, and a look into its journal.
struct short_attempts {
  short_attempts() { BOOST_TEST_REQUIRE(night.begin(50)); }

  size_t attempts_failed() {
    return pqxx::work(connection)
      .exec1("select count(*) from run_events where kind = 'attempt_failed'")[0]
      .as<size_t>();
  }

  void wait_for_failures() {
    const auto until = attempts_failed() + failures_that_tell;
    BOOST_TEST(eventually([&] { return attempts_failed() >= until; }, generous));
  }

  /// And it recovers. Each attempt was made once: a service's failure is answered by another attempt.
  void check_recovered() {
    night.bakery().set_faults(usual_faults());
    BOOST_TEST(night.services_are_called());
    for (const auto& each : night.what_is_wrong())
      BOOST_ERROR(each);
  }

  bakery_night night{{.faults = usual_faults(), .step_timeout = "1s"}};
  pqxx::connection connection{night.database_url()};
};

} // namespace

BOOST_AUTO_TEST_SUITE(service_outage_test)

BOOST_FIXTURE_TEST_CASE(services_that_are_killed_are_called_until_they_are_back, short_attempts) {
  for (int outage = 0; outage < outages; ++outage) {
    night.bakery().kill();
    wait_for_failures();
    BOOST_TEST(night.callers_are_served());
    night.bakery().start_again();
    night.bakery().set_faults(usual_faults());
    BOOST_TEST(night.services_are_called());
  }
  check_recovered();
}

BOOST_FIXTURE_TEST_CASE(a_service_that_is_slower_than_an_attempt_may_take_is_called_again, short_attempts) {
  auto faults = usual_faults();
  for (const char* service : {"production", "notifications"})
    faults[service].push_back({{"slow_ms", slow.count()}, {"method", "POST"}});
  night.bakery().set_faults(faults);
  wait_for_failures();
  check_recovered();
}

BOOST_FIXTURE_TEST_CASE(a_service_that_comes_and_goes_delays_and_harms_nothing, short_attempts) {
  std::mt19937_64 random(announced_seed());
  const std::vector<std::string> services{"forecasting", "production", "procurement", "insights"};
  for (int flap = 0; flap < flaps; ++flap) {
    auto faults = usual_faults();
    faults[services[random() % services.size()]].push_back({{"status", 503}});
    night.bakery().set_faults(faults);
    wait_for_failures();
    night.bakery().set_faults(usual_faults());
    BOOST_TEST(night.services_are_called());
  }
  check_recovered();
}

BOOST_AUTO_TEST_SUITE_END()
