// One page on health: what it asks, what it says when something is not there, and how it ends.
#include <boost/test/unit_test.hpp>

#include <map>

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include "persistence/embedded_postgres.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/has.hpp"

using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// Nobody listens on the port that is for finding out who listens.
const std::string nowhere = "http://127.0.0.1:1";

program_result doctor(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "doctor");
  return run_to_end({"levain", std::move(arguments)}, 60s);
}

/// The findings by what they are about and their names.
std::map<std::string, json> findings_of(const program_result& result) {
  std::map<std::string, json> found;
  const auto page = json::parse(result.output, nullptr, false);
  BOOST_TEST_REQUIRE(page.is_object(), result.output << result.errors);
  for (const auto& each : page["findings"])
    found[each["about"].get<std::string>() + " " + each["name"].get<std::string>()] = each;
  return found;
}

/// A daemon on a private PostgreSQL that keeps every promise.
struct served {
  served() { daemon.wait_until_ready(); }

  std::string database() const { return folder / "database"; }

  temporary_folder folder;
  running_daemon daemon{{"--embedded", folder / "database"}};
};

} // namespace

BOOST_AUTO_TEST_SUITE(cli_doctor_test)

BOOST_AUTO_TEST_CASE(a_healthy_node_and_its_database_end_with_0) {
  const served it;
  const auto through_node = doctor({"--url", it.daemon.url(), "--json"});
  BOOST_TEST(through_node.status == 0, through_node.output);
  auto found = findings_of(through_node);
  BOOST_TEST(found["node ready"]["level"] == "ok");
  BOOST_TEST(found["database fsync"]["level"] == "ok");
  BOOST_TEST(found["database shards"]["value"] == "all 64 owned");

  const auto directly = doctor({"--embedded", it.database(), "--json"});
  BOOST_TEST(directly.status == 0, directly.output);
  found = findings_of(directly);
  BOOST_TEST(!found.contains("node ready"));
  BOOST_TEST(found["database clock"]["level"] == "ok");
  BOOST_TEST(found["database schema"]["level"] == "ok");

  const auto both = doctor({"--url", it.daemon.url(), "--embedded", it.database(), "--json"});
  BOOST_TEST(both.status == 0);
  found = findings_of(both);
  BOOST_TEST(found.contains("node ready"));
  BOOST_TEST(found.contains("database schema"));

  const auto page = doctor({"--url", it.daemon.url()});
  BOOST_TEST(has(page.output, "ok        commit_latency"), page.output);
  BOOST_TEST(has(page.output, "0 critical, 0 warnings, "), page.output);
  BOOST_TEST(!has(page.output, "\033"));
}

BOOST_AUTO_TEST_CASE(a_critical_finding_ends_with_1_and_says_what_to_do) {
  served it;
  it.daemon.program().kill_and_wait();
  const auto database = levain::embedded_postgres::start({.directory = it.database()});
  {
    // As if it had been so for a minute.
    pqxx::connection connection(database->url());
    pqxx::nontransaction(connection).exec("update nodes set heartbeat_at = heartbeat_at - interval '1 minute'");
  }
  const auto result = doctor({"--database", database->url()});
  BOOST_TEST(result.status == 1, result.output);
  BOOST_TEST(has(result.output, "critical  nodes               none alive; dead: levain"), result.output);
  BOOST_TEST(has(result.output, "  what to do        start levaind"), result.output);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_ends_with_3_and_the_rest_is_told) {
  const served it;
  const auto node_gone = doctor({"--url", nowhere, "--embedded", it.database(), "--json"});
  BOOST_TEST(node_gone.status == 3);
  auto found = findings_of(node_gone);
  BOOST_TEST(has(found["node unreachable"]["value"].get<std::string>(), "no daemon answers at " + nowhere));
  BOOST_TEST(found["database schema"]["level"] == "ok");

  const auto database_gone =
    doctor({"--url", it.daemon.url(), "--database", "postgresql://127.0.0.1:1/none", "--json"});
  BOOST_TEST(database_gone.status == 3);
  found = findings_of(database_gone);
  BOOST_TEST(found["database unreachable"]["level"] == "critical");
  BOOST_TEST(found["node ready"]["level"] == "ok");
  BOOST_TEST(!found.contains("database schema"));

  const auto nothing = doctor({"--url", nowhere});
  BOOST_TEST(nothing.status == 3);
  BOOST_TEST(has(nothing.output, "critical  unreachable"), nothing.output);
}

BOOST_AUTO_TEST_CASE(no_server_is_started_to_be_examined) {
  const temporary_folder folder;
  const auto result = doctor({"--embedded", folder / "nothing", "--json"});
  BOOST_TEST(result.status == 3);
  BOOST_TEST(findings_of(result)["database unreachable"]["level"] == "critical");
  BOOST_TEST(!std::filesystem::exists(folder / "nothing"));
}

BOOST_AUTO_TEST_SUITE_END()
