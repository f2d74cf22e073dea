#include <boost/test/unit_test.hpp>
#include <csignal>
#include <pqxx/pqxx>

#include "tests/faults/fault_checks.hpp"
#include "tests/support/bakery_night.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr int rounds = 3;
/// Tries of the callers that tell that the outage is felt.
constexpr size_t refusals_that_tell = 5;

/// The server, not only one session, is gone until the test brings it back.
void lose_server(bakery_night& night, int signal) {
  ::kill(night.database().server_pid(), signal);
  BOOST_TEST(eventually([&] { return !night.daemon().ready(); }, generous));
  const auto refused = night.callers().refused();
  BOOST_TEST(eventually([&] { return night.callers().refused() >= refused + refusals_that_tell; }, generous));
  night.restart_database();
}

/// One of the server's processes dies as if the kernel had killed it, and the server throws all sessions out and
/// recovers.
void lose_writers_session(bakery_night& night) {
  pqxx::connection connection(night.database_url());
  const auto pid = pqxx::work(connection)
                     .exec1("select pid from pg_stat_activity where application_name = 'levain writer-0' limit 1")[0]
                     .as<pid_t>();
  ::kill(pid, SIGKILL);
}

} // namespace

BOOST_AUTO_TEST_SUITE(database_crash_test)

BOOST_AUTO_TEST_CASE(no_call_is_made_again_however_often_the_database_crashes) {
  // Given
  bakery_night night;
  BOOST_TEST_REQUIRE(night.begin(100));

  // When: it is killed, shut down without mercy, and loses a session's process, again and again.
  for (int round = 0; round < rounds; ++round) {
    BOOST_TEST_CONTEXT("round " << round) {
      lose_server(night, SIGKILL);
      BOOST_TEST(night.callers_are_served());
      lose_server(night, SIGQUIT);
      BOOST_TEST(night.callers_are_served());
      lose_writers_session(night);
      BOOST_TEST(night.callers_are_served());
      BOOST_TEST(night.services_are_called());
    }
  }

  // Then: and it recovers. The daemon was there all the time, so every call was made once.
  for (const auto& each : night.what_is_wrong())
    BOOST_ERROR(each);
}

BOOST_AUTO_TEST_SUITE_END()
