// Lists over HTTP, with a node and a reader on a real PostgreSQL.
#include <boost/test/unit_test.hpp>

#include <array>
#include <pqxx/pqxx>

#include "tests/actors/gateway_world.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::test;
using nlohmann::json;

namespace {

struct listed_world {
  listed_world() { world.wait_until_ready(); }

  void execute(const std::string& statement) const {
    pqxx::connection connection(database.url());
    pqxx::nontransaction session(connection);
    session.exec(statement);
  }

  json list(const std::string& rest) {
    const auto answer = world.get(world.path(rest));
    BOOST_TEST_REQUIRE(answer.status == 200, answer.body);
    return answer.json();
  }

  fresh_database database;
  gateway_world world{{}, postgres_ports(database.url()), database.url()};
};

const json endless = {{"time", "1h"}};
const json by_anna = {{"by", "anna"}};

std::string id_of(const json& run) {
  return run.at("id");
}

} // namespace

BOOST_AUTO_TEST_SUITE(gateway_lists_dbtest)

BOOST_FIXTURE_TEST_CASE(lists_name_the_row_that_cannot_be_read_beside_all_others, listed_world) {
  world.register_simulated("bread", json::object());
  const auto run = world.start({{"workflow", "bread"}});
  world.wait_for(run.at("id"), "completed");
  execute(
    "insert into orchestration_runs (run_number, tenant_id, status, completed_at) values ('OLD-1', '" + world.tenant +
    "', 'completed', 'infinity')");
  for (const std::string rest : {"/runs", "/history?from=2020-01-01"}) {
    const auto found = list(rest);
    BOOST_TEST(found.at("runs").size() == 1U);
    BOOST_TEST_REQUIRE(found.at("unreadable").size() == 1U);
    const auto& odd = found.at("unreadable").at(0);
    BOOST_TEST(odd.at("run_number") == "OLD-1");
    BOOST_TEST(odd.at("column") == "completed_at");
    BOOST_TEST(odd.at("message") == "column completed_at: 'infinity' is not a time of the years 1 to 9999");
  }
  const auto single = world.get(world.path("/runs/OLD-1"));
  BOOST_TEST(single.status == 409);
  BOOST_TEST(
    single.json().at("detail") ==
    "the row of run OLD-1 cannot be read: column completed_at: 'infinity' is not a time of the years 1 to 9999");
}

BOOST_FIXTURE_TEST_CASE(a_run_whose_row_cannot_be_read_is_shown_and_commanded_by_its_journal, listed_world) {
  world.register_simulated("bread", endless);
  const auto run = world.start({{"workflow", "bread"}});
  world.wait_for(run.at("id"), "running");
  execute("update orchestration_runs set production_started_at = '294000-01-01'");
  const std::string number = run.at("run_number");
  const auto shown = list("/runs/" + number);
  BOOST_TEST(shown.at("status") == "running");
  BOOST_TEST(shown.at("unreadable").at("column") == "production_started_at");
  BOOST_TEST(list("/runs/" + number + "/events").at("events").size() >= 2U);
  BOOST_TEST(world.post(world.path("/runs/" + number + "/pause"), by_anna).status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_paused_run_is_seen_and_found_as_paused, listed_world) {
  world.register_simulated("bread", endless);
  const auto paused = id_of(world.start({{"workflow", "bread"}}));
  const auto going_on = id_of(world.start({{"workflow", "bread"}}));
  world.wait_for(paused, "running");
  world.wait_for(going_on, "running");
  BOOST_TEST(world.post(world.path("/runs/" + paused + "/pause"), by_anna).status == 200);
  const auto only_paused = list("/runs?status=paused");
  BOOST_TEST_REQUIRE(only_paused.at("runs").size() == 1U);
  BOOST_TEST(only_paused.at("runs").at(0).at("id") == paused);
  BOOST_TEST(only_paused.at("runs").at(0).at("activity") == "paused");
  BOOST_TEST(only_paused.at("runs").at(0).at("status") == "running");
  BOOST_TEST(list("/runs/" + paused).at("activity") == "paused");
  BOOST_TEST(list("/runs/" + going_on).at("activity").is_null());
  BOOST_TEST(list("/runs?status=running").at("runs").size() == 2U);
  BOOST_TEST(world.post(world.path("/runs/" + paused + "/resume"), by_anna).status == 200);
  BOOST_TEST(list("/runs?status=paused").at("runs").empty());
}

BOOST_FIXTURE_TEST_CASE(attention_is_paged_and_asked_for_by_tenant_and_type, listed_world) {
  for (const auto& [number, tenant, type] : std::initializer_list<std::array<std::string, 3>>{
         {"A", world.tenant, "manual"},
         {"B", world.tenant, "manual"},
         {"T", world.tenant, "test"},
         {"S", gateway_world::stranger, "manual"}})
    execute(
      "insert into orchestration_runs (run_number, tenant_id, status, run_type, started_at, completed_at) values ('" +
      number + "', '" + tenant + "', 'failed', '" + type + "', '2026-01-01', '2026-01-01 00:00:00.5')");
  const auto all = world.get("/v1/operator/attention").json();
  BOOST_TEST(all.at("runs").size() == 3U);
  BOOST_TEST(all.at("next_cursor").is_null());
  BOOST_TEST(all.at("limit_reached") == false);
  BOOST_TEST(list("/attention?run_type=test").at("runs").at(0).at("run_number") == "T");
  const auto first = list("/attention?limit=1");
  BOOST_TEST(first.at("limit_reached") == true);
  const auto second = list("/attention?limit=1&cursor=" + first.at("next_cursor").get<std::string>());
  BOOST_TEST(second.at("runs").size() == 1U);
  BOOST_TEST(second.at("runs") != first.at("runs"));
  BOOST_TEST(second.at("next_cursor").is_null());
  for (const std::string wrong : {"cursor=x", "run_type=auto", "status=failed"})
    BOOST_TEST(world.get("/v1/operator/attention?" + wrong).status == 400);
}

BOOST_FIXTURE_TEST_CASE(the_metrics_summary_averages_durations_with_their_fractions, listed_world) {
  execute(
    "insert into orchestration_runs (run_number, tenant_id, status, started_at, completed_at, duration_seconds) values "
    "('A', '" +
    world.tenant + "', 'completed', '2026-01-01', '2026-01-01 00:00:00.5', 0)");
  BOOST_TEST(list("/metrics-summary?since=2025-01-01").at("duration_seconds") == 0.5);
}

BOOST_AUTO_TEST_SUITE_END()
