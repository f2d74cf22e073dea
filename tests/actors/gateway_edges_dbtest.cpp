// The corners of the HTTP interface, with a node and a reader on a real PostgreSQL.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <pqxx/pqxx>
#include <set>

#include "actors/gateway/api_start_request.hpp"
#include "tests/actors/gateway_world.hpp"
#include "tests/support/database.hpp"
#include "tests/support/database_gate.hpp"

using namespace levain;
using namespace levain::test;
using nlohmann::json;

namespace {

struct world_on_postgres {
  explicit world_on_postgres(node_options options = {})
    : world(std::move(options), postgres_ports(gate.url()), gate.url()) {
    world.wait_until_ready();
  }

  fresh_database database;
  database_gate gate{database.url()};
  gateway_world world;
};

/// What a problem document says: `404 there is nothing at /x`.
std::string problem_of(const http_answer& answer) {
  BOOST_TEST(answer.headers.at("content-type") == "application/problem+json", answer.body);
  const auto document = answer.json();
  BOOST_TEST(document.at("status") == answer.status);
  return std::to_string(answer.status) + " " + document.at("detail").get<std::string>();
}

std::set<std::string> ids_of(const http_answer& answer) {
  BOOST_TEST_REQUIRE(answer.status == 200, answer.body);
  const auto document = answer.json();
  std::set<std::string> ids;
  for (const auto& each : document.at("runs"))
    ids.insert(each.at("id"));
  return ids;
}

const json quick = json::object();
const json endless = {{"time", "1h"}};
const json by_anna = {{"by", "anna"}};

} // namespace

BOOST_AUTO_TEST_SUITE(gateway_edges_dbtest)

BOOST_FIXTURE_TEST_CASE(a_full_list_is_answered_start_by_start, world_on_postgres) {
  world.register_simulated("bread", quick);
  auto list = json::array();
  for (size_t i = 0; i < start_list_max; ++i)
    list.push_back({{"workflow", "bread"}, {"input", {{"n", i}}}});
  list[3] = 7;
  list[500]["priority"] = "urgent";
  list[501]["workflow"] = "cake";
  list[998]["idempotency_key"] = "twice";
  list[999] = list[998];
  const auto answer = world.post(world.path("/runs"), list);
  BOOST_TEST(answer.status == 207);
  const auto document = answer.json();
  BOOST_TEST(document.at("started") == 996);
  BOOST_TEST(document.at("repeated") == 1);
  BOOST_TEST(document.at("refused") == 3);
  const auto& results = document.at("results");
  BOOST_TEST_REQUIRE(results.size() == start_list_max);
  BOOST_TEST(results[3].at("field") == "[3]");
  BOOST_TEST(results[500].at("field") == "[500].priority");
  BOOST_TEST(results[501].at("field") == "[501].workflow");
  // Two starts of one request with one key are one run.
  BOOST_TEST(results[998].at("id") == results[999].at("id"));
  BOOST_TEST(results[998].at("run_number") == results[999].at("run_number"));
  BOOST_TEST((results[998].at("repeated") == true) != (results[999].at("repeated") == true));
  std::set<std::string> numbers;
  for (const auto& each : results)
    if (each.contains("id"))
      numbers.insert(each.at("run_number"));
  BOOST_TEST(numbers.size() == 996U);
  // The order of the results is the order of the starts.
  const auto events = world.get(world.path("/runs/" + results[42].at("id").get<std::string>() + "/events")).json();
  BOOST_TEST(events.at("events").at(0).dump().find(R"("n":42)") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(what_is_wrong_with_a_start_is_named, world_on_postgres) {
  world.register_simulated("bread", quick);
  const auto refusal = [&](const json& body) { return problem_of(world.post(world.path("/runs"), body)); };
  BOOST_TEST(
    refusal({{"workflow", "bread"}, {"priorty", "high"}}) == "422 priorty: is not known here; did you mean "
                                                             "'priority'?");
  BOOST_TEST(
    refusal({{"workflow", "bread"}, {"triggered_by", std::string(101, 'x')}}) ==
    "422 triggered_by: must be at most 100 characters long, not 101");
  BOOST_TEST(
    refusal({{"workflow", "bread"}, {"idempotency_key", std::string(256, 'k')}}) ==
    "422 idempotency_key: must be at most 255 bytes long, not 256");
  BOOST_TEST(refusal({{"workflow", "bread"}, {"version", 7}}) == "404 there is no version 7 of a workflow 'bread'");
  const auto nul = world.send({"POST", world.path("/runs"), R"({"workflow": "bread", "input": "a\u0000b"})"});
  BOOST_TEST(nul.status == 400);
  BOOST_TEST(problem_of(nul).find("NUL") != std::string::npos);
  BOOST_TEST(
    problem_of(world.post(world.path("/runs?limit=3"), {{"workflow", "bread"}})) ==
    "400 limit: is not known here; nothing is");
  BOOST_TEST(ids_of(world.get("/v1/operator/runs")).empty());
}

BOOST_AUTO_TEST_CASE(who_is_refused_is_told_how_long_to_wait_in_whole_seconds) {
  node_options options;
  options.dispatcher.runs_running_max = 1;
  options.dispatcher.runs_waiting_max = 1;
  options.dispatcher.refusal_retry_after = std::chrono::milliseconds(2500);
  world_on_postgres on(std::move(options));
  on.world.register_simulated("bread", endless);
  for (int i = 0; i < 2; ++i)
    on.world.start({{"workflow", "bread"}});
  const auto refused = on.world.post(on.world.path("/runs"), {{"workflow", "bread"}});
  BOOST_TEST(problem_of(refused) == "429 the waiting room is full: 1 runs wait (runs_waiting_max)");
  BOOST_TEST(refused.headers.at("retry-after") == "3");
  BOOST_TEST(refused.json().at("retry_after") == 3);
  const auto list = on.world.post(on.world.path("/runs"), json::array({{{"workflow", "bread"}}}));
  BOOST_TEST(list.status == 207);
  BOOST_TEST(list.headers.at("retry-after") == "3");
}

BOOST_FIXTURE_TEST_CASE(a_run_that_starts_meanwhile_moves_no_run_to_another_page, world_on_postgres) {
  world.register_simulated("bread", quick);
  std::set<std::string> started;
  for (int i = 0; i < 7; ++i)
    started.insert(world.start({{"workflow", "bread"}}).at("id"));
  std::set<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 4; ++page) {
    const auto answer = world.get(world.path("/runs?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const auto& each : ids_of(answer))
      BOOST_TEST(seen.insert(each).second);
    world.start({{"workflow", "bread"}});
    const auto next = answer.json().at("next_cursor");
    cursor = next.is_null() ? "" : next.get<std::string>();
  }
  BOOST_TEST(cursor.empty());
  BOOST_TEST(seen == started, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(
  a_cursor_that_was_made_by_hand_is_refused_and_one_of_another_tenant_shows_nothing_of_it, world_on_postgres) {
  world.register_simulated("bread", quick);
  const std::string mine = world.start({{"workflow", "bread"}}).at("id");
  const std::string stranger = "/v1/tenants/" + gateway_world::stranger + "/runs";
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(world.post(stranger, {{"workflow", "bread"}}).status == 201);
  const std::string theirs = world.get(stranger + "?limit=1").json().at("next_cursor");
  for (const auto& each : ids_of(world.get(world.path("/runs?cursor=" + theirs))))
    BOOST_TEST(each == mine);
  for (const std::string cursor :
       {"1", "x.y", "1.01890000", "99999999999999999999.01890000-0000-7000-8000-000000000000", "1%00",
        "1.01890000-0000-7000-8000-000000000000x"})
    BOOST_TEST(world.get(world.path("/runs?cursor=" + cursor)).status == 400, cursor);
}

BOOST_FIXTURE_TEST_CASE(dates_and_the_ends_of_time_are_taken, world_on_postgres) {
  world.register_simulated("bread", quick);
  world.start({{"workflow", "bread"}});
  for (const std::string range :
       {"from=2020-01-01&to=9999-12-31", "from=0001-01-01",
        "from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59.999999Z"}) {
    BOOST_TEST(ids_of(world.get(world.path("/runs?" + range))).size() == 1U, range);
    BOOST_TEST(ids_of(world.get(world.path("/history?" + range))).size() == 1U, range);
  }
  BOOST_TEST(ids_of(world.get(world.path("/history?from=2020-01-01&to=2020-01-02"))).empty());
  BOOST_TEST(
    problem_of(world.get(world.path("/history?from=2026-01-02&to=2026-01-01"))).starts_with("400 to: must not be"));
  BOOST_TEST(
    problem_of(world.get(world.path("/metrics-summary?since=soon"))) ==
    "400 since: must be a time such as 2026-11-23T04:00:00Z or a date such as 2026-11-23, not 'soon'");
}

BOOST_FIXTURE_TEST_CASE(metrics_are_averages_of_one_tenants_runs, world_on_postgres) {
  for (const int score : {80, 90})
    world.register_simulated(
      "bread_" + std::to_string(score), {{"output", {{"score", score}}}}, {{"record", {{"quality_score", "/score"}}}});
  for (const std::string name : {"bread_80", "bread_90"})
    world.wait_for(world.start({{"workflow", name}}).at("id"), "completed");
  const auto metrics = world.get(world.path("/metrics-summary")).json();
  BOOST_TEST(metrics.at("runs") == 2);
  BOOST_TEST(metrics.at("quality_score") == 85.0);
  BOOST_TEST(metrics.at("cost_accuracy").is_null());
  BOOST_TEST(world.get("/v1/tenants/" + gateway_world::stranger + "/metrics-summary").json().at("runs") == 0);
}

BOOST_FIXTURE_TEST_CASE(a_list_that_was_cut_says_so, world_on_postgres) {
  world.register_simulated("bread", endless);
  for (int i = 0; i < 2; ++i)
    world.start({{"workflow", "bread"}});
  const auto cut = world.get(world.path("/active?limit=1")).json();
  BOOST_TEST(cut.at("runs").size() == 1U);
  BOOST_TEST(cut.at("limit_reached") == true);
  BOOST_TEST(world.get(world.path("/active")).json().at("limit_reached") == false);
  BOOST_TEST(problem_of(world.get("/v1/operator/attention?limit=0")).starts_with("400 limit: must be a whole number"));
}

BOOST_FIXTURE_TEST_CASE(a_row_without_a_journal_is_shown_without_steps, world_on_postgres) {
  const std::string id = "33333333-3333-4333-8333-333333333333";
  pqxx::connection by_hand(database.url());
  pqxx::work work(by_hand);
  work.exec(
    "insert into orchestration_runs (id, run_number, tenant_id, status, retry_count) values ('" + id + "', 'OLD-1', '" +
    gateway_world::tenant + "', 'failed', 1)");
  work.commit();
  const auto run = world.get(world.path("/runs/OLD-1")).json();
  BOOST_TEST(run.at("id") == id);
  BOOST_TEST(run.at("status") == "failed");
  BOOST_TEST(run.at("workflow").is_null());
  BOOST_TEST(run.at("steps").empty());
  BOOST_TEST(run.at("progress").is_null());
  BOOST_TEST(world.get(world.path("/runs/" + id + "/events")).json().at("events").empty());
  for (const std::string& name : {id, std::string("OLD-1")}) {
    const auto why = world.get(world.path("/runs/" + name + "/explain")).json();
    BOOST_TEST(why.at("summary") == "the run has only its row, which says that it is failed");
    BOOST_TEST(why.at("waits").at(0).at("kind") == "row");
    BOOST_TEST(
      problem_of(world.post(world.path("/runs/" + name + "/retry"), by_anna)) ==
      "409 the row was not written by this engine and has no journal, so nobody can act for it");
    const auto theirs = "/v1/tenants/" + gateway_world::stranger + "/runs/" + name;
    BOOST_TEST(world.get(theirs + "/explain").status == 404);
    BOOST_TEST(world.post(theirs + "/retry", by_anna).status == 404);
  }
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_run_awaits_no_simulated_call, world_on_postgres) {
  world.register_simulated("bread", endless, {{"timeout", "2h"}});
  const auto run = world.path("/runs/" + world.start({{"workflow", "bread"}}).at("id").get<std::string>());
  world.get_until(run, [](const http_answer& answer) { return answer.json().at("status") == "running"; });
  BOOST_TEST(world.post(run + "/cancel", by_anna).status == 200);
  const auto shown =
    world.get_until(run, [](const http_answer& answer) { return answer.json().at("status") == "cancelled"; }).json();
  BOOST_TEST(shown.at("progress").at("phase") == "ended");
  BOOST_TEST(shown.at("progress").at("cancelled_by") == "anna");
}

BOOST_FIXTURE_TEST_CASE(what_is_wrong_with_a_wish_is_named, world_on_postgres) {
  const auto cancel = world.path("/runs/01890000-0000-7000-8000-000000000000/cancel");
  BOOST_TEST(problem_of(world.post(cancel, {{"by", ""}})) == "422 by: must not be empty");
  BOOST_TEST(
    problem_of(world.post(cancel, {{"by", "a"}, {"reson", "b"}})) == "422 reson: is not known here; did you mean "
                                                                     "'reason'?");
  BOOST_TEST(world.send({"POST", cancel, "by=anna", {{"Content-Type", "text/plain"}}}).status == 415);
  const auto get = world.get(cancel);
  BOOST_TEST(get.status == 405);
  BOOST_TEST(get.headers.at("allow") == "POST");
}

BOOST_FIXTURE_TEST_CASE(definitions_are_listed_page_by_page_without_their_bodies, world_on_postgres) {
  std::set<std::string> registered;
  for (int i = 0; i < 7; ++i) {
    const auto name = "bread_" + std::to_string(i % 4);
    const int version = 1 + i / 4;
    const json step = {{"name", "bake"}, {"call", {{"simulate", {{"output", std::string(100'000, 'x')}}}}}};
    const auto answer = world.post("/v1/workflows", {{"workflow", name}, {"version", version}, {"steps", {step}}});
    BOOST_TEST_REQUIRE(answer.status == 201, answer.body);
    registered.insert(name + "/" + std::to_string(version));
  }
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto answer = world.get("/v1/workflows?limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor));
    BOOST_TEST_REQUIRE(answer.status == 200, answer.body);
    BOOST_TEST(answer.body.size() < 2000u);
    const auto page = answer.json();
    for (const auto& each : page.at("workflows"))
      seen.push_back(each.at("workflow").get<std::string>() + "/" + std::to_string(each.at("version").get<int>()));
    cursor = page.at("next_cursor").is_null() ? "" : page.at("next_cursor").get<std::string>();
  } while (!cursor.empty());
  BOOST_TEST(seen == std::vector<std::string>(registered.begin(), registered.end()), boost::test_tools::per_element());
  BOOST_TEST(world.get("/v1/workflows").json().at("next_cursor").is_null());
  BOOST_TEST(world.get("/v1/workflows?limit=7").json().at("next_cursor").is_null());
  for (const std::string wrong : {"bread", "bread/", "/1", "bread/x", "bread/0", "bread/-1"})
    BOOST_TEST(world.get("/v1/workflows?cursor=" + wrong).status == 400, wrong);
  BOOST_TEST(world.get("/v1/workflows?limit=0").status == 400);
}

BOOST_FIXTURE_TEST_CASE(a_definition_with_a_time_that_no_calendar_has_hides_no_other, world_on_postgres) {
  world.register_simulated("bread", quick);
  world.register_simulated("cake", quick);
  pqxx::connection by_hand(database.url());
  pqxx::work work(by_hand);
  work.exec("update workflow_definitions set registered_at = 'infinity' where name = 'bread'");
  work.commit();
  const auto listed = world.get("/v1/workflows").json().at("workflows");
  BOOST_TEST_REQUIRE(listed.size() == 2u);
  BOOST_TEST(listed[0].at("registered_at").is_null());
  BOOST_TEST(listed[0].at("unreadable").get<std::string>().starts_with("registered_at"));
  BOOST_TEST(!listed[1].contains("unreadable"));
}

BOOST_FIXTURE_TEST_CASE(readiness_follows_the_database_away_and_back, world_on_postgres) {
  world.register_simulated("bread", quick);
  BOOST_TEST(world.get("/health/ready").json().at("status") == "ready");
  gate.shut();
  // Nothing is written meanwhile: the heartbeat notices. Status and doctor say the same from then on.
  const auto gone = world.get_until("/health/ready", [](const http_answer& answer) { return answer.status != 200; });
  BOOST_TEST(problem_of(gone).starts_with("503 the database has not answered since "));
  const auto status = world.get("/v1/status").json();
  BOOST_TEST(status.at("ready") == false);
  BOOST_TEST(status.at("database").at("answers") == false);
  BOOST_TEST(status.at("database").at("writers_failing") == 0);
  BOOST_TEST(!status.at("database").at("reason").is_null());
  const auto doctor = world.get("/v1/doctor").json();
  for (const auto& finding : doctor.at("findings"))
    if (finding.at("about") == "node" && finding.at("name") == "ready")
      BOOST_TEST(finding.at("level") == "critical", finding.dump());
  BOOST_TEST(gone.headers.contains("retry-after"));
  BOOST_TEST(!gone.json().at("reasons").empty());
  BOOST_TEST(world.get("/health/live").status == 200);
  for (const auto& path : {world.path("/runs"), world.path("/active"), std::string("/v1/workflows")}) {
    const auto answer = world.get(path);
    BOOST_TEST(answer.status == 503, path);
    BOOST_TEST(answer.headers.contains("retry-after"), path);
  }
  BOOST_TEST(world.post(world.path("/runs"), {{"workflow", "bread"}}).status == 503);
  gate.reopen();
  world.get_until("/health/ready", [](const http_answer& answer) { return answer.status == 200; });
  world.wait_for(world.start({{"workflow", "bread"}}).at("id"), "completed");
}

BOOST_AUTO_TEST_CASE(a_wish_at_the_wrong_node_is_told_where_the_right_one_is) {
  // Given: a run in a shard that its node keeps when another one joins.
  const fresh_database database;
  gateway_world first(
    {.name = "first", .address = "http://127.0.0.1:7401"}, postgres_ports(database.url()), database.url());
  first.register_simulated("bread", endless);
  first.wait_until_ready();
  std::string run;
  do
    run = first.start({{"workflow", "bread"}}).at("id");
  while (shard_of(run_id{uuid::parse(run).value()}) >= shard_count / 2);
  gateway_world second({.name = "second"}, postgres_ports(database.url()), database.url());

  // When
  const auto refused = second.post(second.path("/runs/" + run + "/cancel"), {{"by", "anna"}});

  // Then
  BOOST_TEST(refused.status == 503);
  const auto problem = refused.json();
  BOOST_TEST(problem.at("owner").at("name") == "first");
  BOOST_TEST(problem.at("owner").at("address") == "http://127.0.0.1:7401");
  BOOST_TEST(problem.at("owner").at("alive") == true);
  BOOST_TEST(
    problem.at("detail").get<std::string>().find("it is node 'first' at http://127.0.0.1:7401") != std::string::npos,
    refused.body);
  // What the journal knows, any node tells.
  const auto explained = second.get(second.path("/runs/" + run + "/explain"));
  BOOST_TEST(explained.status == 200, explained.body);
  BOOST_TEST(explained.json().at("waits").size() > 0U);
  BOOST_TEST(first.post(first.path("/runs/" + run + "/cancel"), {{"by", "anna"}}).status == 200);
}

BOOST_FIXTURE_TEST_CASE(endings_are_told_once_they_are_durable, world_on_postgres) {
  world.register_simulated("bread", quick);
  const std::string endings = "/v1/operator/endings";
  const auto before = world.get(endings + "?after=newest").json();
  BOOST_TEST(before.at("endings").empty());
  const std::string id = world.start({{"workflow", "bread"}}).at("id");
  const auto told = world.get(endings + "?wait=30&after=" + before.at("next").get<std::string>()).json();
  BOOST_TEST_REQUIRE(told.at("endings").size() == 1u, told.dump());
  const auto& ending = told.at("endings")[0];
  BOOST_TEST(ending.at("id") == id);
  BOOST_TEST(ending.at("tenant") == world.tenant);
  BOOST_TEST(ending.at("status") == "completed");
  BOOST_TEST(ending.at("steps_succeeded") == 1);
  BOOST_TEST(told.at("missed") == false);
  BOOST_TEST(world.get(world.path("/runs/" + id)).json().at("status") == "completed");
}

BOOST_FIXTURE_TEST_CASE(endings_are_asked_for_in_range, world_on_postgres) {
  const std::string endings = "/v1/operator/endings";
  BOOST_TEST(problem_of(world.get(endings + "?wait=31")) == "400 wait: must be a whole number from 0 to 30, not '31'");
  BOOST_TEST(
    problem_of(world.get(endings + "?limit=0")) == "400 limit: must be a whole number from 1 to 10000, not '0'");
  BOOST_TEST(
    problem_of(world.get(endings + "?after=here")) ==
    "400 after: must be a 'next' of this list, or 'newest', not 'here'");
  const std::string next = world.get(endings).json().at("next");
  BOOST_TEST(problem_of(world.get(endings + "?after=" + next + "9")).starts_with("400 after: must be at most "));
}

BOOST_AUTO_TEST_SUITE_END()
