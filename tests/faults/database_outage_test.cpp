#include <atomic>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <thread>

#include "persistence/embedded_postgres.hpp"
#include "persistence/migrator.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/five_steps.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// How PostgreSQL goes away.
struct outage {
  const char* title;
  int signal;
};

std::ostream& operator<<(std::ostream& out, const outage& each) {
  return out << each.title;
}

const std::vector<outage> outages{{"an immediate shutdown", SIGQUIT}, {"kill -9 of the postmaster", SIGKILL}};

/// Starts runs, list after list, until it is told to stop. A caller of the kind that does not use keys: what is not
/// acknowledged is forgotten.
class steady_caller {
public:
  steady_caller(starter& starts, std::string url)
    : thread_([this, &starts, url = std::move(url)](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        (starts.start(url, 20) == 20 ? taken : refused) += 1;
        std::this_thread::sleep_for(20ms);
      }
    }) {}

  void stop() {
    thread_.request_stop();
    thread_.join();
  }

  /// Lists that were acknowledged as a whole, and others.
  std::atomic<size_t> taken{0};
  std::atomic<size_t> refused{0};

private:
  std::jthread thread_;
};

/// The server dies and comes back while a daemon works and callers call.
void survive(const outage& how) {
  // Given
  const temporary_folder folder;
  const embedded_postgres_options place{.directory = folder / "database"};
  auto database = embedded_postgres::start(place);
  migrate_up(database->url());
  running_daemon daemon({"--database", database->url(), "--response-timeout-max", "1s"});
  daemon.register_workflow(five_steps());
  daemon.wait_until_ready();
  starter starts(some_tenant, "five_steps");
  steady_caller caller(starts, daemon.url());
  BOOST_TEST_REQUIRE(eventually([&] { return caller.taken >= 20; }, generous));

  // When
  ::kill(database->server_pid(), how.signal);
  BOOST_TEST(eventually([&] { return !daemon.ready(); }, generous));
  BOOST_TEST(eventually([&] { return caller.refused >= 2; }, generous));
  const size_t taken_before = caller.taken;
  database.reset();
  database = embedded_postgres::start(place);

  // Then: starts are taken again without anybody's help, and what was acknowledged ends.
  BOOST_TEST(eventually([&] { return caller.taken >= taken_before + 20; }, generous), daemon.program().errors());
  caller.stop();
  // A writer that waits to try again keeps the node from being ready, while the others take starts already.
  BOOST_TEST(eventually([&] { return daemon.ready(); }, generous));
  evidence seen(database->url());
  check_all_is_well(seen, starts);
  daemon.program().send_signal(SIGTERM);
  const auto end = daemon.program().wait(generous);
  BOOST_TEST((end && end->status == 0));
}

} // namespace

BOOST_AUTO_TEST_SUITE(database_outage_test)

BOOST_AUTO_TEST_CASE(nothing_acknowledged_is_lost_when_the_database_goes_and_comes_back) {
  for (const auto& each : outages) {
    BOOST_TEST_CONTEXT(each) {
      survive(each);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_daemon_whose_own_database_dies_does_not_stay_behind_useless) {
  // Given
  const temporary_folder folder;
  const std::vector<std::string> arguments{"--embedded", folder / "database", "--stop-grace", "1s"};
  starter starts(some_tenant, "five_steps");
  {
    running_daemon daemon(arguments);
    daemon.register_workflow(five_steps());
    daemon.wait_until_ready();
    BOOST_TEST_REQUIRE(starts.start(daemon.url(), 200) == 200U);

    // When
    std::ifstream pid_file(folder / "database/data/postmaster.pid");
    pid_t postmaster = 0;
    BOOST_TEST_REQUIRE(static_cast<bool>(pid_file >> postmaster));
    ::kill(postmaster, SIGKILL);

    // Then: it ends, and says so by its status, so that whoever watches it starts it again.
    const auto end = daemon.program().wait(30s);
    BOOST_TEST_REQUIRE(end.has_value());
    BOOST_TEST((end->status && *end->status != 0));
  }
  running_daemon daemon(arguments);
  evidence seen(embedded_postgres_url(folder / "database"));
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_SUITE_END()
