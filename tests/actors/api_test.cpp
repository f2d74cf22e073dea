// The HTTP interface of a node whose database is a model, beside a reader whose database is not there.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

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
        std::string("/v1/workflows")}) {
    const auto answer = world.get(where);
    BOOST_TEST(answer.status == 503, where);
    BOOST_TEST(answer.headers.contains("retry-after"), where);
    BOOST_TEST(answer.headers.at("content-type") == "application/problem+json", where);
  }
  BOOST_TEST(world.get("/health/live").status == 200);
}

BOOST_AUTO_TEST_CASE(workflows_say_that_the_database_cannot_be_asked) {
  *reachable = false;
  BOOST_TEST(world.get("/v1/workflows/bread").status == 503);
  BOOST_TEST(world.post(world.path("/runs"), {{"workflow", "bread"}}).status == 503);
}

BOOST_AUTO_TEST_CASE(a_wish_needs_no_body_and_a_body_of_another_type_is_refused) {
  world.register_simulated("bread", endless);
  const auto run = world.path("/runs/" + world.start({{"workflow", "bread"}})["id"].get<std::string>());
  BOOST_TEST(world.send({"POST", run + "/pause", "", {}}).status == 200);
  // What curl -d '' says.
  BOOST_TEST(
    world.send({"POST", run + "/resume", "", {{"Content-Type", "application/x-www-form-urlencoded"}}}).status == 200);
  BOOST_TEST(world.send({"POST", run + "/pause", "{}"}).status == 200);
  BOOST_TEST(world.send({"POST", run + "/resume", "by=anna", {{"Content-Type", "text/plain"}}}).status == 415);
  BOOST_TEST(world.send({"POST", run + "/resume", "{}", {{"Content-Type", ""}}}).status == 415);
  BOOST_TEST(world.send({"POST", run + "/cancel", "", {}}).body.ends_with("\"granted\":\"cancel\"}\n"));
}

BOOST_AUTO_TEST_CASE(a_page_of_another_origin_starts_and_commands_nothing) {
  world.register_simulated("bread", endless);
  const std::string body = R"({"workflow": "bread"})";
  const std::map<std::string, std::string> foreign{
    {"Content-Type", "application/json"}, {"Host", "evil.example"}, {"Origin", "http://evil.example"}};
  BOOST_TEST(world.send({"POST", world.path("/runs"), body, foreign}).status == 421);
  BOOST_TEST(world.send({"GET", "/v1/operator/workers", "", {{"Host", "evil.example:7400"}}}).status == 421);
  const std::map<std::string, std::string> page{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://evil.example"}};
  BOOST_TEST(world.send({"POST", "/v1/operator/nodes/levain/drain", "", page}).status == 403);
}

BOOST_AUTO_TEST_CASE(wrong_starts_of_megabytes_keep_nobody_waiting_and_get_short_answers) {
  // Given: six starts of 14 MiB with hundreds of thousands of members that nobody knows.
  std::string start = "{";
  for (int i = 0; start.size() < 14 * 1024 * 1024; ++i)
    start += "\"m" + std::to_string(i) + "\":0,";
  start += R"("workflow": "bread"})";
  std::atomic<int> left = 6;
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i)
    clients.emplace_back([&] {
      const auto answer = world.send({"POST", world.path("/runs"), start});
      BOOST_TEST(answer.status == 422);
      BOOST_TEST(answer.body.size() < 64u * 1024);
      --left;
    });

  // When
  std::chrono::steady_clock::duration longest{};
  size_t asked = 0;
  while (left > 0) {
    const auto began = std::chrono::steady_clock::now();
    BOOST_TEST_REQUIRE(world.get("/health/live").status == 200);
    longest = std::max(longest, std::chrono::steady_clock::now() - began);
    ++asked;
  }
  for (auto& each : clients)
    each.join();

  // Then: 50 ms on a machine of its own; others may have the processors here.
  BOOST_TEST_MESSAGE(
    asked << " answers, the longest took " << std::chrono::duration_cast<std::chrono::milliseconds>(longest).count()
          << " ms");
  BOOST_TEST((longest < std::chrono::seconds(1)));
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
