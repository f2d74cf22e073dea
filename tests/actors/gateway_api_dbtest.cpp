// The HTTP interface with everything behind it: a node and a reader on a real PostgreSQL.
#include <boost/test/unit_test.hpp>

#include <map>
#include <pqxx/pqxx>
#include <set>

#include "tests/actors/gateway_world.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::test;
using nlohmann::json;

namespace {

node_options alone() {
  node_options options;
  options.sole = true;
  options.variables = {{"forecasting_url", "http://127.0.0.1:1"}};
  return options;
}

struct world_on_postgres {
  fresh_database database;
  gateway_world world{alone(), postgres_ports(database.url()), database.url()};

  world_on_postgres() { world.wait_until_ready(); }
};

std::set<std::string> ids_of(const json& rows) {
  std::set<std::string> ids;
  for (const auto& each : rows)
    ids.insert(each.at("id").get<std::string>());
  return ids;
}

const json quick = {{"time", "1ms"}};
const json slow = {{"time", "1h"}};

} // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_api_dbtest, world_on_postgres)

BOOST_AUTO_TEST_CASE(a_definition_that_the_database_refuses_is_told_in_its_words_and_ends_nothing) {
  pqxx::connection by_hand(database.url());
  pqxx::nontransaction(by_hand).exec(
    "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no bread today'; end $$; "
    "create trigger refuse before insert on workflow_definitions for each row execute function refuse()");
  const json definition = {
    {"workflow", "bread"}, {"version", 1}, {"steps", {{{"name", "bake"}, {"call", {{"simulate", quick}}}}}}};
  const auto refused = world.post("/v1/workflows", definition);
  BOOST_TEST(refused.status == 422, refused.body);
  BOOST_TEST(refused.body.find("no bread today") != std::string::npos, refused.body);
  pqxx::nontransaction(by_hand).exec("drop trigger refuse on workflow_definitions");
  BOOST_TEST(world.post("/v1/workflows", definition).status == 201);
}

BOOST_AUTO_TEST_CASE(a_definition_that_cannot_be_read_is_named_and_the_others_go_on) {
  for (const char* name : {"bread", "rolls", "cake"})
    world.register_simulated(name, quick);
  pqxx::connection by_hand(database.url());
  pqxx::nontransaction(by_hand).exec("update workflow_definitions set registered_at = 'infinity' where name = 'bread'; "
                                     "update workflow_definitions set body = '{\"workflow\": 1}' where name = 'cake'");
  const auto listed = world.get("/v1/workflows").json()["workflows"];
  BOOST_TEST_REQUIRE(listed.size() == 3U);
  BOOST_TEST(listed[0]["unreadable"] == "registered_at: the row holds a time that no calendar has");
  BOOST_TEST(listed[0]["registered_at"].is_null());
  BOOST_TEST(!listed[2].contains("unreadable"));
  const auto shown = world.get("/v1/workflows/bread");
  BOOST_TEST(shown.status == 503);
  BOOST_TEST(shown.body.find("column registered_at") != std::string::npos, shown.body);
  BOOST_TEST(world.post(world.path("/runs"), {{"workflow", "bread"}}).status == 503);
  world.wait_for(world.start({{"workflow", "rolls"}})["id"], "completed");
}

BOOST_AUTO_TEST_CASE(a_definition_is_shown_with_its_numbers_digit_by_digit_and_can_be_registered_again) {
  const std::string digits = "123456789.01234567890125";
  const std::string definition =
    R"({"workflow":"weigh","version":1,"steps":[{"name":"weigh","call":{"simulate":{"output":{"grams":)" + digits +
    "}}}}]}";
  BOOST_TEST(world.send({"POST", "/v1/workflows", definition}).status == 201);
  const auto shown = world.get("/v1/workflows/weigh/1").body;
  BOOST_TEST(shown.find(digits) != std::string::npos, shown);
  const auto from = shown.find("\"definition\":") + 13;
  BOOST_TEST(world.send({"POST", "/v1/workflows", shown.substr(from, shown.rfind('}') - from)}).status == 200);
}

BOOST_AUTO_TEST_CASE(a_definition_that_holds_a_secret_is_registered_with_a_warning) {
  const auto with_header = [](const char* name, const char* value) {
    return json{
      {"workflow", name},
      {"version", 1},
      {"steps",
       {{{"name", "bake"}, {"call", {{"http", {{"url", "http://h/"}, {"headers", {{"Authorization", value}}}}}}}}}}};
  };
  const auto answer = world.post("/v1/workflows", with_header("open", "Bearer s3cr3t"));
  BOOST_TEST(answer.status == 201);
  BOOST_TEST_REQUIRE(answer.json()["warnings"].size() == 1U);
  BOOST_TEST(answer.json()["warnings"][0]["field"] == "steps[0].call.http.headers.Authorization");
  BOOST_TEST(answer.body.find("s3cr3t") == std::string::npos);
  BOOST_TEST(
    !world.post("/v1/workflows", with_header("shut", "Bearer ${forecasting_url}")).json().contains("warnings"));
}

BOOST_AUTO_TEST_CASE(workflows_are_registered_once_and_never_change) {
  const json definition = {
    {"workflow", "bread"}, {"version", 1}, {"steps", {{{"name", "bake"}, {"call", {{"simulate", quick}}}}}}};
  const auto first = world.post("/v1/workflows", definition);
  BOOST_TEST(first.status == 201, first.body);
  BOOST_TEST(first.headers.at("location") == "/v1/workflows/bread/1");
  BOOST_TEST(world.post("/v1/workflows", definition).status == 200);

  auto other = definition;
  other["steps"][0]["name"] = "burn";
  const auto conflict = world.post("/v1/workflows", other);
  BOOST_TEST(conflict.status == 409);
  BOOST_TEST(conflict.json()["field"] == "version");

  other["version"] = 2;
  BOOST_TEST(world.post("/v1/workflows", other).status == 201);
  BOOST_TEST(world.get("/v1/workflows/bread").json()["version"] == 2);
  BOOST_TEST(world.get("/v1/workflows/bread/1").json()["definition"]["steps"][0]["name"] == "bake");
  BOOST_TEST(world.get("/v1/workflows").json()["workflows"].size() == 2U);
  BOOST_TEST(world.get("/v1/workflows/bread/3").status == 404);
  BOOST_TEST(world.get("/v1/workflows/cake").status == 404);
  BOOST_TEST(world.get("/v1/workflows/bread/x").status == 400);
  BOOST_TEST(world.get("/v1/workflow-schema").json().contains("$schema"));
}

BOOST_AUTO_TEST_CASE(a_definition_is_refused_with_every_error_and_every_variable_without_a_value) {
  const auto wrong = world.post("/v1/workflows", {{"workflow", "Bread"}, {"version", 0}, {"steps", json::array()}});
  BOOST_TEST(wrong.status == 422);
  BOOST_TEST(wrong.json()["errors"].size() >= 3U, wrong.body);
  BOOST_TEST(wrong.json()["field"] == wrong.json()["errors"][0]["field"]);

  const auto unset = world.post(
    "/v1/workflows", {{"workflow", "bread"},
                      {"version", 1},
                      {"steps",
                       {{{"name", "a"}, {"call", {{"http", {{"url", "${forecasting_url}/x"}}}}}},
                        {{"name", "b"}, {"call", {{"http", {{"url", "${oven_url}/x"}}}}}}}}});
  BOOST_TEST(unset.status == 422);
  BOOST_TEST_REQUIRE(unset.json()["errors"].size() == 1U, unset.body);
  BOOST_TEST(unset.json()["detail"].get<std::string>().find("${oven_url}") != std::string::npos, unset.body);
}

BOOST_AUTO_TEST_CASE(a_run_is_seen_by_id_and_by_number_with_its_steps_and_events) {
  world.register_simulated("bread", {{"time", "1ms"}, {"output", {{"loaves", 7}}}});
  const auto started = world.start(
    {{"workflow", "bread"}, {"input", {{"date", "2026-11-24"}}}, {"triggered_by", "anna"}, {"metadata", {{"a", 1}}}});
  BOOST_TEST(started["repeated"] == false);
  const auto id = started["id"].get<std::string>();
  const auto number = started["run_number"].get<std::string>();
  const auto run = world.wait_for(id, "completed");
  BOOST_TEST(run["run_number"] == number);
  BOOST_TEST(run["tenant_id"] == gateway_world::tenant);
  BOOST_TEST(run["triggered_by"] == "anna");
  BOOST_TEST(run["run_metadata"] == json({{"a", 1}}));
  BOOST_TEST(run["saga_steps_completed"] == 1);
  BOOST_TEST(run["progress"]["phase"] == "ended");
  BOOST_TEST_REQUIRE(run["steps"].size() == 1U);
  BOOST_TEST(run["steps"][0]["name"] == "bake");
  BOOST_TEST(run["steps"][0]["phase"] == "succeeded");
  BOOST_TEST(run["steps"][0]["attempt"] == 1);
  BOOST_TEST(run["steps"][0]["output"] == json({{"loaves", 7}}));
  BOOST_TEST(run["steps"][0]["duration_ms"].is_number());

  BOOST_TEST(world.get(world.path("/runs/" + number)).json()["id"] == id);
  const auto events = world.get(world.path("/runs/" + number + "/events")).json()["events"];
  BOOST_TEST_REQUIRE(events.size() == 4U, events.dump());
  BOOST_TEST(events[0]["seq"] == 1);
  BOOST_TEST(events[0]["kind"] == "run_accepted");
  BOOST_TEST(events[2]["step"] == "bake");
  BOOST_TEST(events[3]["kind"] == "run_completed");
  const auto explained = world.get(world.path("/runs/" + number + "/explain"));
  BOOST_TEST(explained.status == 200);
  BOOST_TEST(!explained.json()["summary"].get<std::string>().empty());
}

BOOST_AUTO_TEST_CASE(every_documented_column_is_in_a_run) {
  world.register_simulated("bread", quick);
  const auto run = world.wait_for(world.start({{"workflow", "bread"}})["id"], "completed");
  const std::vector<std::string> columns{
    "id",
    "run_number",
    "tenant_id",
    "status",
    "run_type",
    "priority",
    "started_at",
    "completed_at",
    "duration_seconds",
    "forecasting_started_at",
    "forecasting_completed_at",
    "forecasting_status",
    "forecasting_error",
    "production_started_at",
    "production_completed_at",
    "production_status",
    "production_error",
    "procurement_started_at",
    "procurement_completed_at",
    "procurement_status",
    "procurement_error",
    "notification_started_at",
    "notification_completed_at",
    "notification_status",
    "notification_error",
    "ai_insights_started_at",
    "ai_insights_completed_at",
    "ai_insights_status",
    "ai_insights_error",
    "ai_insights_generated",
    "ai_insights_posted",
    "forecasts_generated",
    "production_batches_created",
    "procurement_plans_created",
    "purchase_orders_created",
    "notifications_sent",
    "forecast_data",
    "run_metadata",
    "retry_count",
    "max_retries_reached",
    "error_message",
    "error_details",
    "forecast_id",
    "production_schedule_id",
    "procurement_plan_id",
    "saga_steps_total",
    "saga_steps_completed",
    "created_at",
    "updated_at",
    "triggered_by",
    "fulfillment_rate",
    "on_time_delivery_rate",
    "cost_accuracy",
    "quality_score"};
  BOOST_TEST(columns.size() == 54U);
  for (const auto& each : columns)
    BOOST_TEST(run.contains(each), each);
}

BOOST_AUTO_TEST_CASE(the_same_key_starts_once_and_another_content_is_a_conflict) {
  world.register_simulated("bread", slow);
  const json body = {{"workflow", "bread"}, {"input", {{"day", 1}}}};
  const http_question keyed{
    "POST", world.path("/runs"), body.dump(), {{"Content-Type", "application/json"}, {"Idempotency-Key", "night-1"}}};
  const auto first = world.send(keyed);
  BOOST_TEST_REQUIRE(first.status == 201, first.body);
  const auto again = world.send(keyed);
  BOOST_TEST(again.status == 200, again.body);
  BOOST_TEST(again.json()["id"] == first.json()["id"]);
  BOOST_TEST(again.json()["run_number"] == first.json()["run_number"]);
  BOOST_TEST(again.json()["repeated"] == true);

  auto other = keyed;
  other.body = json({{"workflow", "bread"}, {"input", {{"day", 2}}}}).dump();
  const auto conflict = world.send(other);
  BOOST_TEST(conflict.status == 409, conflict.body);
  BOOST_TEST(conflict.json()["field"] == "idempotency_key");
  // Another tenant's key is another key.
  auto strange = other;
  strange.url = "/v1/tenants/" + gateway_world::stranger + "/runs";
  BOOST_TEST(world.send(strange).status == 201);
}

BOOST_AUTO_TEST_CASE(a_start_is_the_same_after_a_new_version_and_whoever_triggers_it) {
  world.register_simulated("bread", quick);
  json keyed = {{"workflow", "bread"}, {"idempotency_key", "k"}, {"triggered_by", "anna"}};
  const auto first = world.post(world.path("/runs"), keyed);
  BOOST_TEST(first.status == 201, first.body);
  const json step = {{"name", "bake"}, {"call", {{"simulate", json::object()}}}};
  const json newer = {{"workflow", "bread"}, {"version", 2}, {"steps", json::array({step})}};
  BOOST_TEST(world.post("/v1/workflows", newer).status == 201);
  keyed["triggered_by"] = "bob";
  const auto again = world.post(world.path("/runs"), keyed);
  BOOST_TEST(again.status == 200, again.body);
  BOOST_TEST(again.json()["id"] == first.json()["id"]);
  BOOST_TEST(again.json()["repeated"] == true);
  const auto in_list = world.post(world.path("/runs"), json::array({keyed}));
  BOOST_TEST(in_list.json()["repeated"] == 1);
  keyed["version"] = 2;
  BOOST_TEST(world.post(world.path("/runs"), keyed).status == 409);
}

BOOST_AUTO_TEST_CASE(a_thousand_runs_are_started_by_one_request) {
  world.register_simulated("bread", quick);
  auto list = json::array();
  for (int i = 0; i < 1000; ++i)
    list.push_back({{"workflow", "bread"}, {"input", {{"i", i}}}});
  const auto answer = world.post(world.path("/runs"), list);
  BOOST_TEST_REQUIRE(answer.status == 200, answer.body.substr(0, 500));
  BOOST_TEST(answer.json()["started"] == 1000);
  BOOST_TEST(ids_of(answer.json()["results"]).size() == 1000U);
  list.push_back({{"workflow", "bread"}});
  BOOST_TEST(world.post(world.path("/runs"), list).status == 422);
}

BOOST_AUTO_TEST_CASE(a_list_answers_for_each_start_in_its_order) {
  world.register_simulated("bread", slow);
  const json list = {
    {{"workflow", "bread"}, {"idempotency_key", "k"}}, {{"workflow", "cake"}},
    {{"workflow", "bread"}, {"priority", "urgent"}},   {{"workflow", "bread"}, {"version", 9}},
    {{"workflow", "bread"}, {"priority", "high"}},
  };
  const auto answer = world.post(world.path("/runs"), list);
  BOOST_TEST(answer.status == 207, answer.body);
  BOOST_TEST(answer.json()["started"] == 2);
  BOOST_TEST(answer.json()["refused"] == 3);
  const auto results = answer.json()["results"];
  BOOST_TEST(results[0].contains("id"));
  BOOST_TEST(results[1]["status"] == 404);
  BOOST_TEST(results[1]["field"] == "[1].workflow");
  BOOST_TEST(results[2]["status"] == 422);
  BOOST_TEST(results[2]["field"] == "[2].priority");
  BOOST_TEST(results[3]["field"] == "[3].version");
  BOOST_TEST(results[4].contains("id"));

  const auto again = world.post(world.path("/runs"), json::array({list[0]}));
  BOOST_TEST(again.status == 200);
  BOOST_TEST(again.json()["started"] == 0);
  BOOST_TEST(again.json()["repeated"] == 1);
  BOOST_TEST(again.json()["results"][0]["repeated"] == true);
  BOOST_TEST(again.json()["results"][0]["run_number"] == results[0]["run_number"]);
}

BOOST_AUTO_TEST_CASE(pages_follow_each_other_without_a_gap_or_a_repetition) {
  world.register_simulated("bread", slow);
  auto list = json::array();
  for (int i = 0; i < 25; ++i)
    list.push_back({{"workflow", "bread"}});
  const auto started = ids_of(world.post(world.path("/runs"), list).json()["results"]);
  std::set<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 3; ++page) {
    const auto answer = world.get(world.path("/runs?limit=10" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    BOOST_TEST_REQUIRE(answer.status == 200, answer.body);
    const auto ids = ids_of(answer.json()["runs"]);
    BOOST_TEST(ids.size() == (page < 2 ? 10U : 5U));
    for (const auto& each : ids)
      BOOST_TEST(seen.insert(each).second);
    BOOST_TEST(answer.json()["next_cursor"].is_null() == (page == 2));
    cursor = answer.json()["next_cursor"].is_null() ? "" : answer.json()["next_cursor"].get<std::string>();
  }
  BOOST_TEST(seen == started, boost::test_tools::per_element());
  const auto bad = world.get(world.path("/runs?cursor=nonsense"));
  BOOST_TEST(bad.status == 400);
  BOOST_TEST(bad.json()["field"] == "cursor");
}

BOOST_AUTO_TEST_CASE(lists_are_filtered) {
  world.register_simulated("bread", quick);
  world.register_simulated("cake", slow);
  const auto bread = world.start({{"workflow", "bread"}, {"run_type", "test"}})["id"].get<std::string>();
  const auto cake = world.start({{"workflow", "cake"}})["id"].get<std::string>();
  world.wait_for(bread, "completed");
  const auto listed = [&](const std::string& query) {
    return ids_of(world.get(world.path("/runs" + query)).json().at("runs"));
  };
  const std::set<std::string> only_bread{bread};
  const std::set<std::string> only_cake{cake};
  BOOST_TEST(listed("?status=completed,failed") == only_bread);
  BOOST_TEST(listed("?run_type=test") == only_bread);
  BOOST_TEST(listed("?workflow=cake") == only_cake);
  BOOST_TEST(listed("?from=2099-01-01T00:00:00Z").empty());
  BOOST_TEST(listed("?to=2020-01-01T00:00:00Z").empty());
  BOOST_TEST(listed("?from=2020-01-01T00:00:00Z").size() == 2U);
  BOOST_TEST(ids_of(world.get(world.path("/active")).json()["runs"]) == only_cake);
  BOOST_TEST(world.get(world.path("/history?from=2020-01-01T00:00:00Z")).json()["runs"].size() == 2U);
  BOOST_TEST(world.get(world.path("/history")).json()["field"] == "from");
  BOOST_TEST(world.get(world.path("/runs?status=done")).status == 400);
  BOOST_TEST(world.get(world.path("/runs?run_type=daily")).status == 400);
  const auto summary = world.get(world.path("/metrics-summary?since=2020-01-01T00:00:00Z")).json();
  BOOST_TEST(summary["runs"] == 1);
  BOOST_TEST(summary["quality_score"].is_null());
}

BOOST_AUTO_TEST_CASE(no_tenant_sees_or_touches_what_is_another_tenants) {
  world.register_simulated("bread", slow);
  const auto started = world.start({{"workflow", "bread"}});
  const std::string stranger = "/v1/tenants/" + gateway_world::stranger;
  for (const auto& name : {started["id"].get<std::string>(), started["run_number"].get<std::string>()}) {
    for (const std::string below : {"", "/events", "/explain"})
      BOOST_TEST(world.get(stranger + "/runs/" + name + below).status == 404, name + below);
    for (const std::string asked : {"/cancel", "/pause", "/resume", "/retry"})
      BOOST_TEST(world.post(stranger + "/runs/" + name + asked, {{"by", "eve"}}).status == 404, name + asked);
  }
  BOOST_TEST(world.get(stranger + "/runs").json()["runs"].empty());
  BOOST_TEST(world.get(stranger + "/active").json()["runs"].empty());
  BOOST_TEST(world.get(stranger + "/history?from=2020-01-01").json()["runs"].empty());
  BOOST_TEST(world.get("/v1/operator/runs").json()["runs"].size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_operator_finds_and_stops_a_run_of_any_tenant) {
  world.register_simulated("bread", slow);
  const auto started = world.start({{"workflow", "bread"}});
  const auto id = started["id"].get<std::string>();
  for (const auto& name : {id, started["run_number"].get<std::string>()})
    for (const std::string below : {"", "/events", "/explain"}) {
      const auto answer = world.get("/v1/operator/runs/" + name + below);
      BOOST_TEST(answer.status == 200, answer.body);
      BOOST_TEST(answer.json()["id"] == id);
    }
  const auto none = world.get("/v1/operator/runs/ORCH-20200101-00000001");
  BOOST_TEST(none.status == 404);
  BOOST_TEST(none.json()["detail"] == "there is no run 'ORCH-20200101-00000001'");
  BOOST_TEST(world.get("/v1/operator/runs/" + id + "?all=1").status == 400);
  BOOST_TEST(world.post("/v1/operator/runs/" + id + "/cancel", {{"by", ""}}).status == 422);
  BOOST_TEST(world.post("/v1/operator/runs/" + id + "/cancel", {{"by", "anna"}}).status == 200);
  world.wait_for(id, "cancelled");
}

BOOST_AUTO_TEST_CASE(a_run_of_another_tenant_and_one_that_nobody_has_sound_the_same) {
  world.register_simulated("bread", slow);
  const auto theirs = world.start({{"workflow", "bread"}})["id"].get<std::string>();
  const auto nobodys = theirs.substr(0, 20) + "aaa" + theirs.substr(23);
  for (const auto& [method, what] : std::vector<std::pair<std::string, std::string>>{
         {"GET", ""}, {"GET", "/events"}, {"GET", "/explain"}, {"POST", "/cancel"}, {"POST", "/pause"}}) {
    const auto ask = [&](std::string run) {
      auto answer = world.send({method, "/v1/tenants/" + gateway_world::stranger + "/runs/" + run + what});
      BOOST_TEST(answer.status == 404, answer.body);
      for (size_t at = 0; (at = answer.body.find(run)) != std::string::npos;)
        answer.body.replace(at, run.size(), "RUN");
      return answer.body;
    };
    BOOST_TEST(ask(theirs) == ask(nobodys));
  }
  BOOST_TEST(world.get(world.path("/runs/" + theirs + "/explain")).status == 200);
}

BOOST_AUTO_TEST_CASE(people_pause_resume_cancel_and_retry) {
  world.register_simulated("slow", slow, {{"effect", "none"}});
  const auto started = world.start({{"workflow", "slow"}});
  const auto run = world.path("/runs/" + started["id"].get<std::string>());
  const auto by_number = world.path("/runs/" + started["run_number"].get<std::string>());
  const auto paused = world.post(run + "/pause", {{"by", "anna"}});
  BOOST_TEST(paused.status == 200, paused.body);
  BOOST_TEST(paused.json()["granted"] == "pause");
  BOOST_TEST(world.get(run).json()["progress"]["paused_by"] == "anna");
  BOOST_TEST(world.post(run + "/pause", {{"by", "ben"}}).status == 409);
  BOOST_TEST(world.post(by_number + "/resume", {{"by", "anna"}}).status == 200);
  BOOST_TEST(world.post(run + "/retry", {{"by", "anna"}}).status == 409);
  BOOST_TEST(world.post(by_number + "/cancel", {{"by", "anna"}, {"reason", "oven broken"}}).status == 200);
  world.wait_for(started["id"], "cancelled");
  BOOST_TEST(world.post(run + "/cancel", {{"by", "anna"}}).status == 409);
  BOOST_TEST(world.post(run + "/cancel", {{"by", ""}}).json()["field"] == "by");
  BOOST_TEST(world.post(run + "/bake", {{"by", "anna"}}).status == 404);
  const auto nobody = world.path("/runs/01999999-9999-7999-8999-999999999999");
  BOOST_TEST(world.get(nobody).status == 404);
  BOOST_TEST(world.post(nobody + "/cancel", {{"by", "anna"}}).status == 404);
}

BOOST_AUTO_TEST_CASE(a_failed_run_needs_attention_until_it_is_retried) {
  world.register_simulated("doomed", {{"time", "1ms"}, {"fail_first", 1}}, {{"retry", {{"max_attempts", 1}}}});
  const auto id = world.start({{"workflow", "doomed"}})["id"].get<std::string>();
  const auto failed = world.wait_for(id, "failed");
  BOOST_TEST(failed["steps"][0]["failure"]["kind"] == "retryable", failed.dump());
  // The list reads the table, which follows the journal.
  world.get_until(
    "/v1/operator/attention", [&](const http_answer& answer) { return ids_of(answer.json()["runs"]).contains(id); });
  BOOST_TEST(world.post(world.path("/runs/" + id + "/retry"), {{"by", "anna"}}).status == 200);
  BOOST_TEST(world.wait_for(id, "completed")["retry_count"] == 1);
  BOOST_TEST(world.get("/v1/operator/attention").json()["runs"].empty());
}

BOOST_AUTO_TEST_CASE(health_and_status_say_how_the_node_is) {
  BOOST_TEST(world.get("/health/live").status == 200);
  BOOST_TEST(world.get("/health/ready").status == 200);
  const auto status = world.get("/v1/status").json();
  BOOST_TEST(status["shards_ready"] == 64);
  BOOST_TEST(status["database"]["answers"] == true);
  BOOST_TEST(status["workers"] == nlohmann::json({{"connected", 0}, {"calls_out", 0}, {"calls_waiting", 0}}));
  const auto workers = world.get("/v1/operator/workers");
  BOOST_TEST(workers.status == 200);
  BOOST_TEST(workers.body == "{\"workers\":[]}\n");
  BOOST_TEST(world.get("/v1/operator/workers?colour=red").status == 400);
  world.interface().stop();
  const auto ending = world.get("/health/ready");
  BOOST_TEST(ending.status == 503);
  BOOST_TEST(ending.headers.contains("retry-after"));
  BOOST_TEST(world.post(world.path("/runs"), {{"workflow", "bread"}}).status == 503);
}

BOOST_AUTO_TEST_CASE(the_doctor_tells_of_the_node_and_of_its_database) {
  world.register_simulated("bread", nlohmann::json::object());
  world.wait_for(world.start({{"workflow", "bread"}})["id"], "completed");
  const auto page = world.get("/v1/doctor").json();
  std::map<std::string, nlohmann::json> by_name;
  for (const auto& each : page["findings"])
    by_name[each["about"].get<std::string>() + " " + each["name"].get<std::string>()] = each;
  BOOST_TEST(by_name["node ready"]["level"] == "ok", page.dump());
  BOOST_TEST(by_name["node clock"]["level"] == "ok", page.dump());
  // What was measured of the run's own batches.
  BOOST_TEST(by_name["node commit_latency"]["value"].get<std::string>().find("median ") == 0U, page.dump());
  BOOST_TEST(by_name["node batches"]["value"].get<std::string>().find("of at most 500") != std::string::npos);
  BOOST_TEST(by_name["database nodes"]["level"] == "ok", page.dump());
  BOOST_TEST(by_name["database shards"]["level"] == "ok", page.dump());
  // The tests' server does not sync.
  BOOST_TEST(by_name["database fsync"]["level"] == "critical");
  BOOST_TEST(page["worst"] == "critical");
  BOOST_TEST(world.get("/v1/doctor?colour=red").status == 400);
  const auto journal = world.get("/v1/status").json()["journal"];
  BOOST_TEST(journal["batch_runs"]["count"].get<int>() >= 2);
  BOOST_TEST(journal["batch_runs"]["max"].get<int>() >= 1);
  BOOST_TEST(journal["commit_micros"]["median"].get<int>() > 0);
}

BOOST_AUTO_TEST_CASE(requests_that_fit_nowhere_are_told_why) {
  BOOST_TEST(world.get("/v2").status == 404);
  const auto wrong = world.send({"DELETE", world.path("/runs")});
  BOOST_TEST(wrong.status == 405);
  BOOST_TEST(wrong.headers.at("allow") == "GET, HEAD, POST");
  const http_question text{"POST", world.path("/runs"), "hello", {{"Content-Type", "text/plain"}}};
  BOOST_TEST(world.send(text).status == 415);
  const http_question broken{"POST", world.path("/runs"), "{"};
  BOOST_TEST(world.send(broken).status == 400);
  BOOST_TEST(world.get("/v1/tenants/me/runs").json()["field"] == "tenant");
  BOOST_TEST(world.get(world.path("/runs?colour=red")).json()["field"] == "colour");
  BOOST_TEST(world.post(world.path("/runs"), {{"workflow", "none"}}).status == 404);
}

BOOST_AUTO_TEST_SUITE_END()
