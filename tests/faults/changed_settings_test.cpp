// A server whose settings are changed under a connected daemon, and that then loses what was in its memory alone.
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <pqxx/pqxx>
#include <thread>

#include "persistence/embedded_postgres.hpp"
#include "persistence/migrator.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/five_steps.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// As an operator changes them, for every session that there is and will be.
void change_settings(const std::string& url) {
  pqxx::connection connection(url);
  pqxx::nontransaction session(connection);
  for (const auto* setting :
       {"synchronous_commit = off", "wal_writer_delay = '10s'", "wal_writer_flush_after = 0",
        "default_transaction_isolation = 'serializable'", "timezone = 'Pacific/Kiritimati'", "datestyle = 'SQL, DMY'",
        "intervalstyle = 'sql_standard'", "extra_float_digits = -15", "lock_timeout = '10s'",
        "standard_conforming_strings = off", "bytea_output = 'escape'"})
    session.exec(std::string("alter system set ") + setting);
  session.exec("select pg_reload_conf()");
}

} // namespace

BOOST_AUTO_TEST_SUITE(changed_settings_test)

BOOST_AUTO_TEST_CASE(settings_that_change_under_a_daemon_lose_nothing_that_was_acknowledged) {
  // Given
  const temporary_folder folder;
  const embedded_postgres_options place{.directory = folder / "database"};
  auto database = embedded_postgres::start(place);
  migrate_up(database->url());
  running_daemon daemon({"--database", database->url()});
  daemon.register_workflow(five_steps());
  daemon.wait_until_ready();
  starter starts(some_tenant, "five_steps");
  BOOST_TEST_REQUIRE(starts.start(daemon.url(), 100) == 100U);

  for (int round = 0; round < 3; ++round) {
    BOOST_TEST_CONTEXT("round " << round) {
      // When: the settings are changed, starts go on, and the server dies with what it had not written.
      change_settings(database->url());
      for (int i = 0; i < 20; ++i)
        BOOST_TEST(starts.start(daemon.url(), 20) == 20U);
      ::kill(database->server_pid(), SIGQUIT);
      database.reset();
      database = embedded_postgres::start(place);

      // Then: it is taken up again by sessions that begin with those settings.
      BOOST_TEST(eventually([&] { return daemon.ready(); }, generous), daemon.program().errors());
    }
  }
  evidence seen(database->url());
  check_all_is_well(seen, starts);
  daemon.program().send_signal(SIGTERM);
  const auto end = daemon.program().wait(generous);
  BOOST_TEST((end && end->status == 0));
}

BOOST_AUTO_TEST_SUITE_END()
