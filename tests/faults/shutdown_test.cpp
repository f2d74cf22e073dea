#include <boost/test/unit_test.hpp>
#include <pqxx/pqxx>
#include <thread>

#include "persistence/embedded_postgres.hpp"
#include "persistence/migrator.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/five_steps.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(shutdown_test)

BOOST_AUTO_TEST_CASE(sigterm_under_load_ends_cleanly_and_loses_nothing) {
  const temporary_folder folder;
  const std::vector<std::string> arguments{"--embedded", folder / "database"};
  starter starts(some_tenant, "five_steps");
  {
    // Given: a daemon with a thousand runs at work and more of them coming.
    running_daemon daemon(arguments);
    daemon.register_workflow(five_steps());
    daemon.wait_until_ready();
    for (int list = 0; list < 2; ++list)
      BOOST_TEST_REQUIRE(starts.start(daemon.url(), 500) == 500U);
    evidence seen(embedded_postgres_url(folder / "database"));
    std::jthread caller([&] {
      while (starts.start(daemon.url(), 20) == 20U) {
      }
    });
    BOOST_TEST_REQUIRE(eventually([&] { return seen.runs_ended() >= 100; }, generous));
    BOOST_TEST(!seen.all_ended());

    // When
    daemon.program().send_signal(SIGTERM);

    // Then
    const auto end = daemon.program().wait(15s);
    BOOST_TEST_REQUIRE(end.has_value(), daemon.program().errors());
    BOOST_TEST((end->status == 0), daemon.program().errors());
  }
  running_daemon daemon(arguments);
  evidence seen(embedded_postgres_url(folder / "database"));
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_CASE(a_second_sigterm_ends_at_once) {
  // Given: a daemon that cannot finish its batches, because somebody locks the journal, and waits for that in vain.
  const temporary_folder folder;
  const auto database = embedded_postgres::start({.directory = folder / "database"});
  migrate_up(database->url());
  running_daemon daemon({"--database", database->url(), "--stop-grace", "10m", "--response-timeout-max", "1s"});
  daemon.register_workflow(five_steps());
  daemon.wait_until_ready();
  pqxx::connection connection(database->url());
  pqxx::work lock(connection);
  lock.exec("lock table run_events in access exclusive mode");
  starter starts(some_tenant, "five_steps");
  BOOST_TEST(starts.start(daemon.url(), 50) == 0U);
  daemon.program().send_signal(SIGTERM);
  BOOST_TEST_REQUIRE(
    eventually([&] { return daemon.program().errors().find("stop_asked") != std::string::npos; }, generous));
  BOOST_TEST(!daemon.program().wait(1s));

  // When
  daemon.program().send_signal(SIGTERM);

  // Then
  const auto end = daemon.program().wait(5s);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST((end->signal == SIGTERM));
}

BOOST_AUTO_TEST_CASE(sigterm_while_starting_ends_cleanly) {
  const temporary_folder folder;
  for (const auto life : {50ms, 400ms, 1000ms, 1600ms}) {
    running_program daemon({"levaind", {"--embedded", folder / "database", "--listen", "127.0.0.1:0"}});
    BOOST_TEST(!daemon.wait(life), daemon.errors());
    daemon.send_signal(SIGTERM);
    const auto end = daemon.wait(30s);
    BOOST_TEST_REQUIRE(end.has_value(), daemon.errors());
    BOOST_TEST((end->status == 0 || life == 50ms), daemon.errors());
  }
}

BOOST_AUTO_TEST_CASE(a_second_daemon_on_the_same_directory_is_refused) {
  // Given
  const temporary_folder folder;
  running_daemon first({"--embedded", folder / "database"});

  // When
  const auto second = run_to_end({"levaind", {"--embedded", folder / "database", "--listen", "127.0.0.1:0"}});

  // Then: it says who has it, and the first works on.
  BOOST_TEST(second.status == 3);
  BOOST_TEST(second.output.empty());
  BOOST_TEST(
    second.errors.find("process " + std::to_string(first.program().pid())) != std::string::npos, second.errors);
  first.wait_until_ready();
}

BOOST_AUTO_TEST_SUITE_END()
