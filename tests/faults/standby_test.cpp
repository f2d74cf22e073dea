// A primary and a standby that follows it, as `pg_basebackup` makes one: a daemon works with the one that takes writes.
#include <boost/test/unit_test.hpp>
#include <csignal>

#include <pqxx/pqxx>

#include "persistence/embedded_postgres.hpp"
#include "persistence/migrator.hpp"
#include "persistence/server_binaries.hpp"
#include "persistence/spawn.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/five_steps.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

struct primary_and_standby {
  primary_and_standby() {
    primary = embedded_postgres::start({.directory = folder / "primary"});
    migrate_up(primary->url());
    // A folder as the server's account wants it; what is in it comes from the primary.
    embedded_postgres::start({.directory = folder / "standby"})->stop();
    const fs::path data = folder / "standby/data";
    for (const auto& each : fs::directory_iterator(data))
      fs::remove_all(each);
    const auto copied = run_program(
      {find_server_binaries().front().folder / "pg_basebackup", "--host", folder / "primary/socket", "--username",
       "levain", "--pgdata", data, "--checkpoint", "fast", "--write-recovery-conf"},
      geteuid() == 0 ? find_unix_user("postgres") : std::nullopt);
    BOOST_TEST_REQUIRE(copied.status == 0, copied.output);
    BOOST_TEST_REQUIRE(fs::exists(data / "standby.signal"));
    standby = embedded_postgres::start({.directory = folder / "standby"});
  }

  /// Both, the standby first.
  std::string url() const {
    return "postgresql://levain@/levain?host=" + (folder / "standby/socket") + ',' + (folder / "primary/socket");
  }

  static std::string value(const embedded_postgres& server, const std::string& sql) {
    pqxx::connection connection(server.url());
    pqxx::nontransaction work(connection);
    return work.exec1(sql)[0].c_str();
  }

  /// A daemon on both that has taken starts.
  std::unique_ptr<running_daemon> serve() {
    auto daemon =
      std::make_unique<running_daemon>(std::vector<std::string>{"--database", url(), "--response-timeout-max", "1s"});
    daemon->register_workflow(five_steps());
    daemon->wait_until_ready();
    BOOST_TEST_REQUIRE(starts.start(daemon->url(), 100) == 100U);
    return daemon;
  }

  /// Starts are acknowledged again, without a restart of the daemon.
  void check_goes_on(running_daemon& daemon) {
    size_t taken = 0;
    BOOST_TEST(
      eventually([&] { return (taken += starts.start(daemon.url(), 20)) >= 100; }, generous),
      daemon.program().errors());
    BOOST_TEST(eventually([&] { return daemon.ready(); }, generous), daemon.program().errors());
  }

  const temporary_folder folder;
  std::unique_ptr<embedded_postgres> primary;
  std::unique_ptr<embedded_postgres> standby;
  starter starts{some_tenant, "five_steps"};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(standby_test, primary_and_standby)

BOOST_AUTO_TEST_CASE(a_daemon_stays_with_nobody_who_only_reads_and_goes_on_when_the_primary_is_back) {
  BOOST_TEST(value(*standby, "select pg_is_in_recovery()") == "t");
  const auto daemon = serve();
  // It is with the primary, with all that it has.
  const std::string sessions = "select count(*) from pg_stat_activity where application_name like 'levain%'";
  BOOST_TEST(value(*primary, sessions) != "0");
  BOOST_TEST(value(*standby, sessions) == "0");

  kill(primary->server_pid(), SIGQUIT);
  BOOST_TEST_REQUIRE(eventually([&] { return !daemon->ready(); }, generous));
  const auto says_why = [&] {
    const auto answer = daemon->get("/health/ready");
    return answer && answer->status == 503 && has(answer->body, "hot standby mode");
  };
  BOOST_TEST(eventually(says_why, generous), daemon->get("/health/ready").value().body);
  BOOST_TEST(has(daemon->program().errors(), "database_unavailable"), daemon->program().errors());

  primary.reset();
  primary = embedded_postgres::start({.directory = folder / "primary"});
  check_goes_on(*daemon);
  BOOST_TEST(value(*standby, sessions) == "0");
  evidence seen(primary->url());
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_CASE(a_daemon_goes_to_a_standby_that_was_promoted) {
  const auto daemon = serve();
  // In order, so that the standby has everything by then.
  primary->stop();
  BOOST_TEST_REQUIRE(eventually([&] { return !daemon->ready(); }, generous));
  BOOST_TEST(value(*standby, "select pg_promote()") == "t");
  check_goes_on(*daemon);
  evidence seen(standby->url());
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_CASE(a_daemon_that_is_given_a_standby_alone_ends_and_names_it) {
  // The URL of a private server says which sessions will do, and then the daemon does not.
  const auto alone = "postgresql://levain@/levain?host=" + (folder / "standby/socket");
  const auto ended = run_to_end({"levaind", {"--listen", "127.0.0.1:0", "--database", alone}, {}}, generous);
  BOOST_TEST(ended.status == 3, ended.errors);
  BOOST_TEST(has(ended.errors, "the database cannot be reached: "), ended.errors);
  BOOST_TEST(has(ended.errors, "server is in hot standby mode"), ended.errors);
}

BOOST_AUTO_TEST_SUITE_END()
