#include "apps/load/floor.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include <pqxx/pqxx>

#include "apps/load/floor_log.hpp"
#include "apps/load/floor_rows.hpp"
#include "persistence/postgres_leases.hpp"
#include "tests/support/database.hpp"
#include "tests/support/processes.hpp"

using namespace levain;
using namespace levain::load;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

floor_options small_floor(const fresh_database& database) {
  floor_options options;
  options.database_url = database.url();
  options.runs = 45;
  options.batch_runs = 10;
  return options;
}

int64_t counted(const fresh_database& database, const std::string& sql) {
  pqxx::connection connection(database.url());
  return pqxx::work(connection).exec1(sql)[0].as<int64_t>();
}

void execute(const fresh_database& database, const std::string& sql) {
  pqxx::connection connection(database.url());
  pqxx::nontransaction(connection).exec(sql);
}

/// The commits of one group of ten runs, a second each, from `began` on.
std::vector<floor_commit> group_from(std::chrono::nanoseconds began) {
  std::vector<floor_commit> commits;
  for (size_t number = 0; number < floor_commits; ++number)
    commits.push_back(
      {.began = began + number * 1s,
       .ended = began + (number + 1) * 1s,
       .number = number,
       .group_began = began,
       .runs = 10,
       .events = 20,
       .rss_bytes = 1000 + number});
  return commits;
}

program_result floor_program(std::vector<std::string> words) {
  words.insert(words.begin(), "floor");
  return run_to_end({.program = "levain-load", .arguments = std::move(words)});
}

} // namespace

BOOST_AUTO_TEST_SUITE(load_floor_test)

BOOST_AUTO_TEST_CASE(both_methods_leave_runs_that_their_journal_proves) {
  for (const auto method : {bare_method::copy, bare_method::insert})
    for (const size_t writers : {1, 2}) {
      const fresh_database database;
      auto options = small_floor(database);
      options.method = method;
      options.writers = writers;
      const auto result = measure_floor(options);
      BOOST_TEST(result.kind == "floor");
      BOOST_TEST(result.runs == 45U);
      BOOST_TEST(result.steps == 225U);
      BOOST_TEST(result.audit_differences.value() == 0U);
      BOOST_TEST(result.lost.value() == 0U);
      BOOST_TEST(result.duplicates.value() == 0U);
      BOOST_TEST(result.proven());
      BOOST_TEST(result.wal_bytes_per_run.value() > 1000);
      BOOST_TEST(result.latency_ms.count == 45U);
      BOOST_TEST(counted(database, "select count(*) from run_events") == 45 * 8);
      BOOST_TEST(counted(database, "select count(*) from orchestration_runs where status = 'completed'") == 45);
      BOOST_TEST(counted(database, "select count(distinct run_number) from orchestration_runs") == 45);
    }
}

BOOST_AUTO_TEST_CASE(a_run_alone_takes_six_commits) {
  const fresh_database database;
  auto options = small_floor(database);
  options.runs = 3;
  options.batch_runs = 1;
  const auto result = measure_floor(options);
  BOOST_TEST(result.batches_per_run.value() == 6);
  BOOST_TEST(counted(database, "select count(distinct xmin::text) from run_events") == 18);
}

BOOST_AUTO_TEST_CASE(a_group_of_runs_shares_its_commits) {
  const fresh_database database;
  const auto result = measure_floor(small_floor(database));
  // Four groups of ten and one of five.
  BOOST_TEST(result.batches_per_run.value() == 30.0 / 45);
  BOOST_TEST(counted(database, "select count(distinct xmin::text) from run_events") == 30);
}

BOOST_AUTO_TEST_CASE(the_proof_finds_a_row_that_is_not_what_its_journal_says) {
  const fresh_database database;
  execute(database, R"(
    create function lie() returns trigger language plpgsql as
      $$ begin new.saga_steps_completed = 4; return new; end $$;
    create trigger lies before update on orchestration_runs for each row
      when (new.run_number like '%1') execute function lie())");
  const auto result = measure_floor(small_floor(database));
  BOOST_TEST(result.audit_differences.value() == 5U);
  BOOST_TEST(!result.proven());
}

BOOST_AUTO_TEST_CASE(the_proof_finds_an_event_that_is_missing) {
  const fresh_database database;
  execute(database, R"(
    create function lose() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger loses before insert on run_events for each row
      when (new.seq = 8 and new.run_id::text like '%f') execute function lose())");
  auto options = small_floor(database);
  options.runs = 200;
  const auto result = measure_floor(options);
  BOOST_TEST(result.audit_differences.value() > 0U);
  BOOST_TEST(result.lost.value() == result.audit_differences.value());
}

BOOST_AUTO_TEST_CASE(a_duration_ends_it) {
  const fresh_database database;
  auto options = small_floor(database);
  options.duration = 1us;
  const auto result = measure_floor(options);
  // The time is up when the first group is written.
  BOOST_TEST(result.runs == 10U);
  BOOST_TEST(result.proven());
}

BOOST_AUTO_TEST_CASE(a_database_with_a_living_node_is_refused) {
  const fresh_database database;
  postgres_leases leases({.url = database.url()});
  leases.join({*uuid::parse("01900000-0000-7000-8000-000000000001"), "baker", "", ""}, 1h);
  BOOST_CHECK_EXCEPTION(
    measure_floor(small_floor(database)), std::runtime_error, [](const std::runtime_error& refused) {
      return std::string(refused.what()).starts_with("the node baker is alive on this database");
    });
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
  const fresh_database database;
  auto options = small_floor(database);
  options.batch_runs = 0;
  BOOST_CHECK_THROW(measure_floor(options), std::invalid_argument);
  options.batch_runs = 1;
  options.writers = 65;
  BOOST_CHECK_THROW(measure_floor(options), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(commits_add_up_to_latencies_and_moments) {
  auto commits = group_from(0s);
  const auto second = group_from(4s);
  commits.insert(commits.end(), second.begin(), second.end());
  load_result result;
  tell_commits(commits, 10, result);
  BOOST_TEST(result.runs == 20U);
  BOOST_TEST(result.steps == 100U);
  BOOST_TEST(result.runs_per_s == 2);
  BOOST_TEST(result.batches_per_run.value() == 0.6);
  BOOST_TEST(result.rows_per_batch.value() == 20);
  BOOST_TEST(result.latency_ms.max == 6000);
  BOOST_TEST(result.start_ms.max == 1000);

  uint64_t started = 0;
  uint64_t ended = 0;
  uint64_t steps = 0;
  uint64_t most_in_flight = 0;
  for (const auto& moment : result.over_time) {
    started += moment.started;
    ended += moment.ended;
    steps += moment.steps;
    most_in_flight = std::max(most_in_flight, moment.in_flight);
    BOOST_TEST(moment.p50_ms.has_value() == (moment.ended > 0));
  }
  BOOST_TEST(started == 20U);
  BOOST_TEST(ended == 20U);
  BOOST_TEST(steps == 100U);
  BOOST_TEST(most_in_flight == 20U);
  BOOST_TEST(result.over_time.back().at_s == 10);
  BOOST_TEST(result.over_time.back().in_flight == 0U);
}

BOOST_AUTO_TEST_CASE(the_program_measures_and_writes_a_result) {
  const fresh_database database;
  const temporary_folder folder;
  const auto file = (folder.path() / "floor.json").string();
  const auto done = floor_program({"--database", database.url(), "--in-sequence", "--runs", "2", "--out", file});
  BOOST_TEST(done.status == 0, done.errors);
  BOOST_TEST(done.output.find("one run alone") != std::string::npos, done.output);
  BOOST_TEST(done.output.find("0 differ") != std::string::npos, done.output);
  std::ifstream in(file);
  const auto result = load_result_from_json(nlohmann::json::parse(in));
  BOOST_TEST(result.runs == 2U);
  BOOST_TEST(result.settings.at("in_sequence") == "yes");
}

BOOST_AUTO_TEST_CASE(bad_command_lines_name_what_is_wrong) {
  const auto complaint = [](const std::vector<std::string>& words) {
    const auto refused = floor_program(words);
    BOOST_TEST(refused.status == 2, refused.errors);
    return refused.errors;
  };
  const auto says = [](const std::string& text, const std::string& part) {
    BOOST_TEST(text.find(part) != std::string::npos, text);
  };
  says(complaint({}), "which database?");
  says(complaint({"--database", "x", "--embedded", "y"}), "--database excludes --embedded");
  says(complaint({"--database", "x", "--batch", "0"}), "--batch");
  says(complaint({"--database", "x", "--write", "paint"}), "--write");
  says(complaint({"--database", "x", "--runs", "1", "--duration", "1s"}), "give --runs or --duration, not both");
  says(complaint({"--database", "x", "--duration", "soon"}), "--duration must be a span such as 30s or 5m, not 'soon'");
  says(complaint({"--database", "x", "--in-sequence", "--batch", "5"}), "leave out --batch");
}

BOOST_AUTO_TEST_CASE(a_database_that_is_not_there_ends_with_three) {
  BOOST_TEST(floor_program({"--database", "postgresql:///levain?host=/nowhere"}).status == 3);
}

BOOST_AUTO_TEST_SUITE_END()
