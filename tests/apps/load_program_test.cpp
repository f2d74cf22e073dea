// Loads of a real engine on a real PostgreSQL: in this process, as a program, and against daemons.
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <memory>

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include "apps/load/run_load.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/database.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace levain;
using namespace levain::load;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

program_result load_with(std::vector<std::string> arguments) {
  return run_to_end({"levain-load", std::move(arguments)}, 120s);
}

load_result result_in(const program_result& ended) {
  BOOST_TEST_REQUIRE(!ended.output.empty(), ended.errors);
  return load_result_from_json(nlohmann::json::parse(ended.output));
}

void check_nothing_lost(const load_result& result) {
  BOOST_TEST((result.lost == 0u));
  BOOST_TEST((result.duplicates == 0u));
  BOOST_TEST(result.proven());
}

/// From now on the database loses the first event of this kind after it has said that it is kept.
void plant_a_lie(const std::string& url, const std::string& kind) {
  pqxx::connection connection(url);
  pqxx::work work(connection);
  work.exec("create table lies (run_id uuid)");
  // One lie, however many write at the same time.
  work.exec("create function lie() returns trigger language plpgsql as $$ begin "
            "perform pg_advisory_xact_lock(1); "
            "if exists (select from lies) then return null; end if; "
            "insert into lies values (new.run_id); "
            "delete from run_events where run_id = new.run_id and seq = new.seq; return null; end $$");
  work.exec(
    "create trigger lie after insert on run_events for each row when (new.kind = '" + kind +
    "') execute function lie()");
  work.commit();
}

size_t rows_of(const std::string& url) {
  pqxx::connection connection(url);
  return pqxx::work(connection).exec1("select count(*) from orchestration_runs")[0].as<size_t>();
}

} // namespace

BOOST_AUTO_TEST_SUITE(load_program_test)

BOOST_AUTO_TEST_CASE(one_process_loads_one_database_again_and_again) {
  const fresh_database database;
  load_options options{
    .mix = {.tenants = {2, 1}, .priorities = {1, 1, 1}, .repeat_rate = 0.2}, .pace = {.in_flight = 50}, .runs = 300};
  for (const auto kind : {shape_kind::chain, shape_kind::dag}) {
    options.shape.kind = kind;
    const auto done = load_node(options, {}, database.url());
    BOOST_TEST(done.complaints.empty(), (done.complaints.empty() ? "" : done.complaints.front()));
    check_nothing_lost(done.result);
    BOOST_TEST((done.result.audit_differences == 0u));
    BOOST_TEST(done.result.runs == 300u);
    BOOST_TEST(done.result.steps == 1500u);
    BOOST_TEST(done.result.wal_bytes_per_run.value_or(0) > 500);
    BOOST_TEST(done.result.batches_per_run.value_or(0) > 0);
    // Six or more events a run, and a transaction for each step at the most.
    BOOST_TEST(done.result.rows_per_batch.value_or(0) >= 1);
    BOOST_TEST(done.result.engine_cpu_ms_per_run.value_or(0) > 0);
  }
  BOOST_TEST(rows_of(database.url()) == 600u);
}

BOOST_AUTO_TEST_CASE(an_end_that_the_database_lost_fails_the_proof) {
  const fresh_database database;
  plant_a_lie(database.url(), "run_completed");
  const auto ended = load_with({"--database", database.url(), "--runs", "200", "--in-flight", "20", "--json"});
  BOOST_TEST(ended.status == 1, ended.errors);
  const auto result = result_in(ended);
  BOOST_TEST(result.runs == 200u);
  BOOST_TEST((result.lost == 1u));
  BOOST_TEST((result.audit_differences == 1u));
}

BOOST_AUTO_TEST_CASE(a_step_that_the_database_lost_fails_the_proof) {
  const fresh_database database;
  plant_a_lie(database.url(), "step_succeeded");
  const auto ended = load_with({"--database", database.url(), "--runs", "200", "--in-flight", "20"});
  BOOST_TEST(ended.status == 1, ended.errors);
  BOOST_TEST(
    ended.output.find("proof fails: lost 0, duplicates 0, rows that differ from their journal 1") != std::string::npos,
    ended.output);
  const auto unasked =
    load_with({"run", "--database", database.url(), "--runs", "200", "--in-flight", "20", "--no-proof"});
  BOOST_TEST(unasked.status == 0, unasked.errors);
}

BOOST_AUTO_TEST_CASE(an_open_loop_of_failing_steps_ends_as_its_seed_says) {
  const fresh_database database;
  const std::vector<std::string> arguments{
    "--database",    database.url(), "--rate",      "400", "--duration",        "1s",   "--ramp",   "200ms",
    "--shape",       "wide",         "--step-time", "2ms", "--fail-final-rate", "0.02", "--effect", "none",
    "--input-bytes", "300",          "--json"};
  const auto ended = load_with(arguments);
  BOOST_TEST(ended.status == 0, ended.errors);
  const auto result = result_in(ended);
  check_nothing_lost(result);
  // The ramp makes half of what its time would.
  BOOST_TEST(result.runs == 360u);
  BOOST_TEST(result.endings.at("failed") > 0u);
  BOOST_TEST(result.endings.at("completed") > 250u);
  BOOST_TEST(result.settings.at("rate") == "400");
}

BOOST_AUTO_TEST_CASE(runs_that_fail_make_the_load_fail_unless_that_is_meant) {
  const fresh_database database;
  const temporary_folder folder;
  const std::string file = folder / "unlucky.json";
  std::ofstream(file) << R"({"workflow": "unlucky", "version": 1, "steps": [
    {"name": "bake", "call": {"simulate": {"fail_final_rate": 1}}}]})";
  std::vector<std::string> arguments{"--database", database.url(), "--runs",  "20",
                                     "--workflow", file,           "--input", R"({"day": 7})"};
  const auto ended = load_with(arguments);
  BOOST_TEST(ended.status == 1);
  for (const auto* part : {"20 of 20 runs did not end well, one of them: ORCH-", "bake", "--may-fail"})
    BOOST_TEST(ended.errors.find(part) != std::string::npos, ended.errors);
  BOOST_TEST(ended.output.find("proof holds") != std::string::npos);
  pqxx::connection connection(database.url());
  pqxx::nontransaction session(connection);
  const auto inputs =
    session.exec("select count(*) from run_events where kind = 'run_accepted' and (body -> 'input' ->> 'day') = '7'");
  BOOST_TEST(inputs[0][0].as<int>() == 20);
  arguments.emplace_back("--may-fail");
  BOOST_TEST(load_with(arguments).status == 0);
  arguments.insert(arguments.end(), {"--input-bytes", "7"});
  BOOST_TEST(load_with(arguments).status == 2);
}

BOOST_AUTO_TEST_CASE(daemons_are_loaded_over_http_and_all_their_ends_are_heard_of) {
  const fresh_database database;
  running_daemon first({"--database", database.url(), "--name", "first"});
  running_daemon second({"--database", database.url(), "--name", "second"});
  first.wait_until_ready();
  second.wait_until_ready();
  const auto ended = load_with(
    {"--daemon", first.url(), "--daemon", second.url(), "--database", database.url(), "--runs", "600", "--in-flight",
     "200", "--list", "50", "--tenants", "3", "--repeat-rate", "0.3", "--step-time", "1ms", "--json"});
  BOOST_TEST(ended.status == 0, ended.errors);
  const auto result = result_in(ended);
  check_nothing_lost(result);
  BOOST_TEST((result.audit_differences == 0u));
  BOOST_TEST(result.runs == 600u);
  BOOST_TEST(result.latency_ms.count == 600u);
  BOOST_TEST(result.engine_cpu_ms_per_run.value_or(0) > 0);
  BOOST_TEST(rows_of(database.url()) == 600u);
}

BOOST_AUTO_TEST_CASE(ends_at_nodes_that_were_not_named_are_heard_of) {
  // Given: two nodes of a cluster. The one that is named has so much less room that its starts go to the other.
  const fresh_database database;
  const auto node = [&](const std::string& name, const std::string& room) {
    return std::make_unique<running_daemon>(std::vector<std::string>{
      "--database", database.url(), "--name", name, "--cluster", "127.0.0.1:0", "--heartbeat-interval", "100ms",
      "--runs-running-max", room, "--start-imbalance-max", "100"});
  };
  const auto first = node("first", "100");
  first->wait_until_ready();
  const auto second = node("second", "10000");
  second->wait_until_ready();
  // When: more runs are started than may be in flight.
  const auto ended = load_with(
    {"--daemon", first->url(), "--database", database.url(), "--runs", "300", "--in-flight", "50", "--list", "10",
     "--json"});
  // Then
  BOOST_TEST(ended.status == 0, ended.errors);
  const auto result = result_in(ended);
  check_nothing_lost(result);
  BOOST_TEST(result.runs == 300u);
  BOOST_TEST(result.latency_ms.count == 300u);
  const auto heard = second->get("/v1/operator/endings?after=newest");
  BOOST_TEST_REQUIRE((heard && heard->status == 200));
  const auto cursor = heard->json()["next"].get<std::string>();
  BOOST_TEST(std::stoul(cursor.substr(cursor.rfind('.') + 1)) > 0u);
}

BOOST_AUTO_TEST_CASE(ends_that_were_missed_are_looked_up) {
  const fresh_database database;
  running_daemon daemon({"--database", database.url(), "--endings-kept-max", "3"});
  daemon.wait_until_ready();
  const auto ended =
    load_with({"--daemon", daemon.url(), "--runs", "1000", "--in-flight", "1000", "--list", "1000", "--json"});
  BOOST_TEST(ended.status == 0, ended.errors);
  const auto result = result_in(ended);
  BOOST_TEST(result.runs == 1000u);
  BOOST_TEST(result.steps == 5000u);
  // What was looked up has an end, and nobody knows after how long.
  BOOST_TEST(result.latency_ms.count < 1000u);
  check_nothing_lost(result);
  BOOST_TEST(!result.audit_differences.has_value());
  BOOST_TEST(!result.wal_bytes_per_run.has_value());
}

BOOST_AUTO_TEST_CASE(a_signal_ends_a_load_early_and_in_order) {
  const fresh_database database;
  running_program program(
    {"levain-load", {"--database", database.url(), "--duration", "1h", "--in-flight", "20", "--json"}});
  BOOST_TEST_REQUIRE(
    eventually([&] { return !program.running() || rows_of(database.url()) > 50; }, 60s), program.errors());
  program.send_signal(SIGINT);
  const auto end = program.wait(60s);
  BOOST_TEST_REQUIRE((end && end->status.has_value()), program.errors());
  BOOST_TEST(*end->status == 0, program.errors());
  const auto result = load_result_from_json(nlohmann::json::parse(program.output()));
  check_nothing_lost(result);
  BOOST_TEST(result.runs > 0u);
  BOOST_TEST(result.runs == rows_of(database.url()));
}

BOOST_AUTO_TEST_SUITE_END()
