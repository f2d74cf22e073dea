#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "persistence/ids.hpp"
#include "persistence/retention.hpp"
#include "persistence/schema_partitions.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using levain::test::fresh_database;

namespace {

const timestamp a_wednesday = *parse_timestamp("2020-03-11T10:00:00Z");
const auto a_month_later = a_wednesday + std::chrono::days(30);

struct aged {
  aged() { ensure_partitions(database.url(), a_wednesday, std::chrono::weeks(0)); }

  void execute(const std::string& statement) {
    pqxx::connection connection(database.url());
    pqxx::nontransaction session(connection);
    session.exec(statement);
  }

  std::string value(const std::string& query) {
    pqxx::connection connection(database.url());
    pqxx::nontransaction session(connection);
    return session.exec1(query)[0].c_str();
  }

  /// A run of the Wednesday with a journal of two events and a start key.
  std::string run(const std::string& status, const std::string& last_event, const std::string& workflow = "'w'") {
    const auto id = to_string(make_run_id(a_wednesday, {++minted, minted}, 5));
    execute(
      "insert into orchestration_runs (id, run_number, tenant_id, status, workflow, started_at, completed_at) values "
      "('" +
      id + "', '" + id + "', gen_random_uuid(), '" + status + "', " + workflow +
      ", '2020-03-11 10:00', '2020-03-11 11:00')");
    execute(
      "insert into run_events (run_id, seq, at, kind) values ('" + id + "', 1, now(), 'run_accepted'), ('" + id +
      "', 2, now(), '" + last_event + "')");
    execute("insert into run_starts values (gen_random_uuid(), 'k', '" + id + "', 'f')");
    return id;
  }

  std::string rows() { return value("select count(*) from orchestration_runs"); }

  retention_report keep_after(timestamp before, int64_t batch = retention_batch_default, bool dry_run = false) {
    return delete_ended_runs(database.url(), {before, batch, dry_run});
  }

  const fresh_database database;
  uint64_t minted = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(retention_dbtest)

BOOST_FIXTURE_TEST_CASE(old_ended_runs_go_with_their_journals_start_keys_and_partitions, aged) {
  for (const auto& [status, event] : std::initializer_list<std::pair<const char*, const char*>>{
         {"completed", "run_completed"},
         {"partial_success", "run_partially_succeeded"},
         {"failed", "run_failed"},
         {"cancelled", "run_cancelled"},
         {"failed", "attention_resolved"}})
    run(status, event);
  const auto report = keep_after(a_month_later, 2);
  BOOST_TEST(report.runs == 5);
  BOOST_TEST(report.events == 10);
  BOOST_TEST(report.start_keys == 5);
  BOOST_TEST(report.kept_for_attention == 0);
  BOOST_TEST(report.partitions == std::vector<std::string>{"run_events_20200309"}, boost::test_tools::per_element());
  BOOST_TEST(rows() == "0");
  BOOST_TEST(value("select count(*) from run_events") == "0");
  BOOST_TEST(value("select count(*) from run_starts") == "0");
}

BOOST_FIXTURE_TEST_CASE(runs_that_ended_later_stay, aged) {
  run("completed", "run_completed");
  BOOST_TEST(keep_after(a_wednesday).runs == 0);
  BOOST_TEST(rows() == "1");
}

BOOST_FIXTURE_TEST_CASE(runs_that_have_not_ended_by_row_or_journal_stay_with_their_partition, aged) {
  run("running", "run_started");
  run("pending", "run_accepted");
  run("cancelled", "run_started");
  run("failed", "run_retried");
  const auto report = keep_after(a_month_later);
  BOOST_TEST(report.runs == 0);
  BOOST_TEST(report.partitions.empty());
  BOOST_TEST(value("select count(*) from run_events") == "8");
  BOOST_TEST(value("select count(*) from run_starts") == "4");
}

BOOST_FIXTURE_TEST_CASE(runs_that_need_a_person_and_rows_of_others_stay, aged) {
  const auto noted = run("failed", "run_failed");
  execute("update orchestration_runs set attention = 'undo failed' where id = '" + noted + "'");
  const auto stopped = run("failed", "run_failed");
  execute("insert into stopped_runs (run_id, kind, reason) values ('" + stopped + "', 'stuck', 'x')");
  execute(
    "insert into orchestration_runs (run_number, tenant_id, status, completed_at) values ('OLD', gen_random_uuid(), "
    "'completed', '2020-03-11')");
  const auto report = keep_after(a_month_later);
  BOOST_TEST(report.runs == 0);
  BOOST_TEST(report.kept_for_attention == 2);
  BOOST_TEST(rows() == "3");
}

BOOST_FIXTURE_TEST_CASE(a_row_that_is_being_written_waits_for_the_next_time, aged) {
  const auto locked = run("completed", "run_completed");
  run("completed", "run_completed");
  pqxx::connection other(database.url());
  pqxx::work writing(other);
  writing.exec("select from orchestration_runs where id = '" + locked + "' for update");
  BOOST_TEST(keep_after(a_month_later).runs == 1);
  writing.abort();
  BOOST_TEST(keep_after(a_month_later).runs == 1);
}

BOOST_FIXTURE_TEST_CASE(partitions_that_others_hold_stay_for_the_next_time, aged) {
  run("completed", "run_completed");
  pqxx::connection other(database.url());
  pqxx::work reading(other);
  reading.exec("lock table only run_events in access share mode");
  const auto report = keep_after(a_month_later);
  BOOST_TEST(report.runs == 1);
  BOOST_TEST(report.partitions.empty());
  BOOST_TEST(!report.partitions_refused.empty());
  reading.abort();
  BOOST_TEST(keep_after(a_month_later).partitions.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_dry_run_of_retention_changes_nothing, aged) {
  run("completed", "run_completed");
  const auto report = keep_after(a_month_later, retention_batch_default, true);
  BOOST_TEST(report.runs == 1);
  BOOST_TEST(report.partitions.empty());
  BOOST_TEST(rows() == "1");
  BOOST_TEST(value("select to_regclass('run_events_20200309') is not null") == "t");
}

BOOST_FIXTURE_TEST_CASE(batches_of_retention_out_of_range_are_refused, aged) {
  BOOST_CHECK_THROW(keep_after(a_month_later, 0), std::invalid_argument);
  BOOST_CHECK_THROW(keep_after(a_month_later, retention_batch_max + 1), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
