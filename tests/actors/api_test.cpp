// The HTTP interface of a node whose database is a model, beside a reader whose database is not there.
#include <boost/test/unit_test.hpp>

#include <atomic>

#include "persistence/model_database.hpp"
#include "persistence/model_definition_store.hpp"
#include "persistence/model_journal.hpp"
#include "persistence/model_leases.hpp"
#include "tests/actors/gateway_world.hpp"

using namespace levain;
using namespace levain::test;
using nlohmann::json;

namespace {

struct world_on_a_model {
  std::shared_ptr<model_database> database = std::make_shared<model_database>();
  std::shared_ptr<std::atomic<bool>> reachable = std::make_shared<std::atomic<bool>>(true);
  gateway_world world{limits(), ports(), "postgresql:///none?host=/nonexistent"};

  world_on_a_model() { world.wait_until_ready(); }

  static node_options limits() {
    node_options options;
    options.sole = true;
    options.dispatcher.runs_running_max = 1;
    options.dispatcher.runs_waiting_max = 2;
    return options;
  }

  node_ports ports() {
    return {
      [this](const std::string&) { return std::make_unique<model_journal>(database); },
      [this] { return std::make_unique<model_definition_store>(database, [up = reachable] { return up->load(); }); },
      [this] { return std::make_unique<model_leases>(database); },
    };
  }
};

const json endless = {{"time", "1h"}};

} // namespace

BOOST_FIXTURE_TEST_SUITE(api_test, world_on_a_model)

BOOST_AUTO_TEST_CASE(a_start_is_acknowledged_once_it_is_remembered) {
  world.register_simulated("bread", endless);
  const auto started = world.start({{"workflow", "bread"}});
  const run_id run{*uuid::parse(started["id"].get<std::string>())};
  BOOST_TEST_REQUIRE(database->row(run).has_value());
  BOOST_TEST(database->row(run)->run_number == started["run_number"].get<std::string>());
}

BOOST_AUTO_TEST_CASE(starts_beyond_the_waiting_room_are_told_when_to_come_back) {
  world.register_simulated("bread", endless);
  auto list = json::array();
  for (int i = 0; i < 5; ++i)
    list.push_back({{"workflow", "bread"}});
  const auto answer = world.post(world.path("/runs"), list);
  BOOST_TEST(answer.status == 207);
  BOOST_TEST(answer.json()["started"] == 3);
  BOOST_TEST(answer.headers.contains("retry-after"));
  BOOST_TEST(answer.json()["results"][3]["status"] == 429);
  const auto single = world.post(world.path("/runs"), {{"workflow", "bread"}});
  BOOST_TEST(single.status == 429, single.body);
  BOOST_TEST(single.headers.at("retry-after") == "1");
  BOOST_TEST(single.json()["detail"].get<std::string>().find("runs_waiting_max") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_repeated_start_is_acknowledged_even_where_its_number_cannot_be_read) {
  world.register_simulated("bread", endless);
  const json body = {{"workflow", "bread"}, {"idempotency_key", "k"}};
  const auto first = world.start(body);
  const auto again = world.post(world.path("/runs"), body);
  BOOST_TEST(again.status == 200, again.body);
  BOOST_TEST(again.json()["id"] == first["id"]);
  BOOST_TEST(again.json()["run_number"].is_null());
}

BOOST_AUTO_TEST_CASE(reads_say_that_the_database_cannot_be_asked) {
  for (const auto& where :
       {world.path("/runs"), world.path("/active"), world.path("/runs/ORCH-20261123-00000001"),
        std::string("/health/ready")}) {
    const auto answer = world.get(where);
    BOOST_TEST(answer.status == 503, where);
    BOOST_TEST(answer.headers.contains("retry-after"), where);
    BOOST_TEST(answer.headers.at("content-type") == "application/problem+json", where);
  }
  BOOST_TEST(world.get("/health/live").status == 200);
}

BOOST_AUTO_TEST_CASE(workflows_say_that_the_database_cannot_be_asked) {
  *reachable = false;
  BOOST_TEST(world.get("/v1/workflows").status == 503);
  BOOST_TEST(world.get("/v1/workflows/bread").status == 503);
  BOOST_TEST(world.post(world.path("/runs"), {{"workflow", "bread"}}).status == 503);
}

BOOST_AUTO_TEST_CASE(a_run_is_explained_while_the_database_cannot_be_asked) {
  world.register_simulated("bread", endless);
  const auto id = world.start({{"workflow", "bread"}})["id"].get<std::string>();
  const auto why = world.get_until(world.path("/runs/" + id + "/explain"), [](const http_answer& answer) {
    return answer.json()["waits"][0]["kind"] == "call";
  });
  BOOST_TEST(why.json()["waits"][0]["step"] == "bake", why.body);
}

BOOST_AUTO_TEST_SUITE_END()
