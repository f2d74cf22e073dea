#include <boost/test/unit_test.hpp>
#include <fstream>
#include <pqxx/pqxx>
#include <thread>

#include "persistence/embedded_postgres.hpp"
#include "persistence/ids.hpp"
#include "persistence/migrator.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/five_steps.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(recovery_test)

BOOST_AUTO_TEST_CASE(kill_minus_nine_in_the_middle_of_2000_runs) {
  const temporary_folder folder;
  const std::vector<std::string> arguments{"--embedded", folder / "database"};
  starter starts(some_tenant, "five_steps");
  {
    // Given: a daemon that has acknowledged some lists of runs and is killed while others are on their way.
    running_daemon daemon(arguments);
    daemon.register_workflow(five_steps());
    daemon.wait_until_ready();
    evidence seen(embedded_postgres_url(folder / "database"));
    std::jthread killer([&] {
      eventually([&] { return seen.runs() >= 600; }, generous);
      ::kill(daemon.program().pid(), SIGKILL);
    });
    for (int list = 0; list < 4; ++list)
      starts.start(daemon.url(), 500, "list-" + std::to_string(list));
    killer.join();
    BOOST_TEST_REQUIRE(daemon.program().wait(generous).has_value());
  }
  BOOST_TEST_MESSAGE(starts.acknowledged().size() << " runs were acknowledged before the first kill");
  BOOST_TEST(starts.acknowledged().size() < 2000U);
  {
    // When: the callers ask again for everything with the same keys, and the daemon is killed when hundreds have ended.
    running_daemon daemon(arguments);
    daemon.wait_until_ready();
    for (int list = 0; list < 4; ++list)
      BOOST_TEST_REQUIRE(starts.start(daemon.url(), 500, "list-" + std::to_string(list)) == 500U);
    evidence seen(embedded_postgres_url(folder / "database"));
    size_t ended = 0;
    BOOST_TEST_REQUIRE(eventually([&] { return (ended = seen.runs_ended()) >= 500; }, generous));
    daemon.program().kill_and_wait();
    BOOST_TEST_MESSAGE(ended << " runs had ended before the second kill");
    BOOST_TEST(ended < 2000U);
  }
  BOOST_TEST(starts.repeated() >= 500U);

  // Then: the third daemon ends all of them, and none is there twice.
  running_daemon daemon(arguments);
  evidence seen(embedded_postgres_url(folder / "database"));
  BOOST_TEST(seen.runs() == 2000U);
  BOOST_TEST(starts.acknowledged().size() == 2000U);
  check_all_is_well(seen, starts);
  const auto verified = run_to_end({"levain", {"verify", "--all", "--embedded", folder / "database"}});
  BOOST_TEST(verified.status == 0, verified.output << verified.errors);
}

namespace {

/// Short, so that a successor need not wait for long; still ten heartbeats that a busy machine may lose.
const std::vector<std::string> short_lease{"--lease-duration", "2s", "--heartbeat-interval", "200ms"};

/// A daemon that shares its database with others.
std::vector<std::string> on_database(const std::string& url, const std::string& name) {
  auto arguments = short_lease;
  for (const auto& each : {std::string("--database"), url, std::string("--name"), name})
    arguments.push_back(each);
  return arguments;
}

bool has_all_shards(const running_daemon& daemon) {
  const auto status = daemon.get("/v1/status");
  return status && status->json().at("shards_ready") == shard_count;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_second_daemon_takes_over_from_one_that_was_killed) {
  // Given: two daemons on one database; the first has everything to do.
  const temporary_folder folder;
  const auto database = embedded_postgres::start({.directory = folder / "database"});
  migrate_up(database->url());
  evidence seen(database->url());
  running_daemon first(on_database(database->url(), "first"));
  first.register_workflow(five_steps());
  first.wait_until_ready();
  running_daemon second(on_database(database->url(), "second"));
  starter starts(some_tenant, "five_steps");
  for (int list = 0; list < 3; ++list)
    BOOST_TEST_REQUIRE(starts.start(first.url(), 500) == 500U);
  BOOST_TEST_REQUIRE(eventually([&] { return seen.runs_ended() >= 200; }, generous));

  // When
  first.program().kill_and_wait();
  BOOST_TEST(seen.runs_ended() < 1500U);

  // Then: the second ends what the first began, and takes starts.
  BOOST_TEST(eventually([&] { return has_all_shards(second); }, generous));
  BOOST_TEST(starts.start(second.url(), 500) == 500U);
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_CASE(a_daemon_that_slept_through_its_lease_changes_nothing) {
  // Given: a daemon that is stopped in the middle, and another that took its shards meanwhile.
  const temporary_folder folder;
  const auto database = embedded_postgres::start({.directory = folder / "database"});
  migrate_up(database->url());
  evidence seen(database->url());
  running_daemon first(on_database(database->url(), "first"));
  first.register_workflow(five_steps());
  first.wait_until_ready();
  running_daemon second(on_database(database->url(), "second"));
  starter starts(some_tenant, "five_steps");
  for (int list = 0; list < 2; ++list)
    BOOST_TEST_REQUIRE(starts.start(first.url(), 500) == 500U);
  BOOST_TEST_REQUIRE(eventually([&] { return seen.runs_ended() >= 100; }, generous));
  first.program().send_signal(SIGSTOP);
  BOOST_TEST(seen.runs_ended() < 1000U);
  BOOST_TEST(eventually([&] { return has_all_shards(second); }, generous));

  // When: it wakes while the other works, and believes for a moment that the runs are still its own.
  first.program().send_signal(SIGCONT);

  // Then: each run ends once all the same.
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_CASE(a_daemon_killed_while_it_starts_leaves_nothing_in_the_way) {
  // Given: a new directory in which daemons die at every stage of their start.
  const temporary_folder folder;
  const std::vector<std::string> arguments{"--embedded", folder / "database"};
  for (const auto life : {50ms, 200ms, 400ms, 700ms, 1100ms, 1500ms}) {
    running_program daemon({"levaind", {"--embedded", folder / "database", "--listen", "127.0.0.1:0"}});
    const auto end = daemon.wait(life);
    BOOST_TEST(
      !end, "after " << life.count() << " ms: status " << end->status.value_or(-1) << ", signal "
                     << end->signal.value_or(0) << ": " << daemon.errors());
    daemon.kill_and_wait();
  }

  // When, then
  running_daemon daemon(arguments);
  daemon.wait_until_ready();
  daemon.register_workflow(five_steps());
  starter starts(some_tenant, "five_steps");
  BOOST_TEST(starts.start(daemon.url(), 10) == 10U);
  evidence seen(embedded_postgres_url(folder / "database"));
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_CASE(runs_whose_rows_were_changed_by_hand_are_taken_up_after_a_kill) {
  // Given: runs that go on, some without a row and some whose row says that they have ended.
  const temporary_folder folder;
  const auto database = embedded_postgres::start({.directory = folder / "database"});
  migrate_up(database->url());
  evidence seen(database->url());
  starter starts(some_tenant, "slow");
  {
    running_daemon daemon(on_database(database->url(), "first"));
    daemon.register_workflow(nlohmann::json::parse(R"({"workflow": "slow", "version": 1, "steps": [
      {"name": "bake", "call": {"simulate": {"time": "3s"}}},
      {"name": "sell", "needs": ["bake"], "call": {"simulate": {"time": "10ms"}}}]})"));
    daemon.wait_until_ready();
    BOOST_TEST_REQUIRE(starts.start(daemon.url(), 12) == 12U);
    pqxx::connection people(database->url());
    const auto execute = [&](const std::string& statement) { pqxx::nontransaction(people).exec(statement); };
    BOOST_TEST_REQUIRE(eventually(
      [&] {
        return pqxx::nontransaction(people)
                 .exec1("select count(*) from orchestration_runs where status = 'running'")[0]
                 .as<int>() == 12;
      },
      generous));
    execute("delete from orchestration_runs where id in (select id from orchestration_runs order by id limit 4)");
    execute(
      "update orchestration_runs set status = 'cancelled' where id in (select id from orchestration_runs order by id "
      "limit 4)");
    // When
    daemon.program().kill_and_wait();
  }
  BOOST_TEST(seen.runs_ended() == 0U);

  // Then
  running_daemon daemon(on_database(database->url(), "second"));
  check_all_is_well(seen, starts);
  const auto verified = run_to_end({"levain", {"verify", "--all", "--database", database->url()}});
  BOOST_TEST(verified.status == 0, verified.output << verified.errors);
}

BOOST_AUTO_TEST_CASE(a_daemon_whose_private_server_was_killed_ends_soon_and_starts_again_at_once) {
  const temporary_folder folder;
  const std::vector<std::string> arguments{"--embedded", folder / "database"};
  starter starts(some_tenant, "five_steps");
  {
    running_daemon daemon(arguments);
    daemon.register_workflow(five_steps());
    daemon.wait_until_ready();
    BOOST_TEST_REQUIRE(starts.start(daemon.url(), 500) == 500U);
    std::ifstream lock(folder / "database/data/postmaster.pid");
    pid_t server = 0;
    BOOST_TEST_REQUIRE((lock >> server).good());
    // When
    ::kill(server, SIGKILL);
    // Then: there is nobody to drain to.
    const auto from = std::chrono::steady_clock::now();
    BOOST_TEST(daemon.program().wait(generous).has_value());
    BOOST_TEST((std::chrono::steady_clock::now() - from < 20s));
  }
  running_daemon daemon(arguments);
  evidence seen(embedded_postgres_url(folder / "database"));
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_SUITE_END()
