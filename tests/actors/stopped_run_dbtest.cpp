// Journals that are damaged by SQL: the runs stop by name, over HTTP and in the database, and go on once repaired.
#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "tests/actors/gateway_world.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::test;
using nlohmann::json;

namespace {

const json endless = {{"time", "1h"}};
const json by_anna = {{"by", "anna"}};

struct damaged_database {
  /// A node that recovers what the one before left.
  std::unique_ptr<gateway_world> boot() {
    node_options options;
    options.sole = true;
    auto world = std::make_unique<gateway_world>(std::move(options), postgres_ports(database.url()), database.url());
    world->wait_until_ready();
    return world;
  }

  std::string value(const std::string& sql) {
    pqxx::connection connection(database.url());
    pqxx::work work(connection);
    const auto result = work.exec(sql);
    work.commit();
    return result.empty() || result.columns() == 0 ? std::string() : result[0][0].c_str();
  }

  fresh_database database;
};

} // namespace

BOOST_AUTO_TEST_SUITE(stopped_run_dbtest)

BOOST_FIXTURE_TEST_CASE(journals_damaged_by_sql_stop_their_runs_by_name_and_go_on_once_repaired, damaged_database) {
  std::vector<std::string> ids;
  {
    const auto world = boot();
    world->register_simulated("bread", endless, {{"timeout", "2h"}});
    for (int i = 0; i < 4; ++i)
      ids.push_back(world->start({{"workflow", "bread"}}).at("id"));
  }
  const auto& [unknown, gone, broken, whole] = std::tie(ids[0], ids[1], ids[2], ids[3]);
  value("alter type run_event_kind add value 'run_was_baked'");
  value("update run_events set kind = 'run_was_baked' where seq = 2 and run_id = '" + unknown + "'");
  value("delete from run_events where run_id = '" + gone + "'");
  const auto body = value("select body from run_events where seq = 1 and run_id = '" + broken + "'");
  value("update run_events set body = '{\"oven\": 1}' where seq = 1 and run_id = '" + broken + "'");

  const auto world = boot();
  BOOST_TEST(world->get("/v1/status").json().at("runs").at("live") == 1);
  BOOST_TEST(world->get("/v1/status").json().at("runs").at("stopped") == 3);
  // A stop is written down soon after it is known.
  world->get_until(
    "/v1/operator/attention", [](const http_answer& answer) { return answer.json().at("runs").size() == 3; });
  BOOST_TEST(value("select count(*) from stopped_runs where kind = 'journal_damaged'") == "3");
  const std::pair<std::string, std::string> said[] = {
    {unknown, "event 2: column kind: 'run_was_baked' is unknown to this program"},
    {gone, "the journal has no events"},
    {broken, "event 1"}};
  for (const auto& [id, reason] : said)
    BOOST_TEST_CONTEXT(reason) {
      const auto path = world->path("/runs/" + id);
      const auto shown = world->get(path);
      BOOST_TEST(shown.status == 200, shown.body);
      BOOST_TEST(shown.json().at("status") == "running");
      const std::string stopped = shown.json().at("stopped").get<std::string>();
      BOOST_TEST(stopped.starts_with("journal_damaged: "), stopped);
      BOOST_TEST(stopped.find(reason) != std::string::npos, stopped);
      const auto why = world->get(path + "/explain").json();
      BOOST_TEST(why.at("summary") == "nobody can act for the run: its journal is damaged");
      BOOST_TEST(why.at("waits").at(0).at("kind") == "stopped");
      const auto refused = world->post(path + "/cancel", by_anna);
      BOOST_TEST(refused.status == 409);
      BOOST_TEST(refused.json().at("detail").get<std::string>().find(reason) != std::string::npos, refused.body);
    }
  BOOST_TEST(world->get(world->path("/runs/" + whole)).json().at("stopped").is_null());

  value("update run_events set body = '" + body + "' where seq = 1 and run_id = '" + broken + "'");
  BOOST_TEST(world->post(world->path("/runs/" + broken + "/retry"), by_anna).status == 200);
  world->get_until(
    world->path("/runs/" + broken), [](const http_answer& answer) { return answer.json().at("stopped").is_null(); });
  BOOST_TEST(world->get(world->path("/runs/" + broken + "/explain")).json().at("waits").at(0).at("kind") == "call");
  BOOST_TEST(value("select count(*) from stopped_runs") == "2");
}

BOOST_AUTO_TEST_SUITE_END()
