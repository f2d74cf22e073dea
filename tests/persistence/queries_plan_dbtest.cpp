// Every documented query walks a documented index on a table of the size it was documented for.
#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "persistence/database_health_statements.hpp"
#include "persistence/queries.hpp"
#include "persistence/queries_statements.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using levain::test::fresh_database;

namespace {

// A year of runs of 200 tenants, a few of them active or failed, as a bakery's nights are.
constexpr const char* fill = R"(
  insert into orchestration_runs
    (run_number, tenant_id, status, run_type, started_at, created_at, retry_count, max_retries_reached, triggered_by,
     fulfillment_rate, on_time_delivery_rate, cost_accuracy, quality_score, workflow, workflow_version)
  select
    'ORCH-' || n,
    md5((n % 200)::text)::uuid,
    (case
      when n % 1000 = 1 then 'pending'
      when n % 1000 = 2 then 'running'
      when n % 50 = 3 then 'failed'
      when n % 100 = 4 then 'cancelled'
      when n % 20 = 5 then 'partial_success'
      else 'completed'
    end)::orchestrationstatus,
    case when n % 10 = 0 then 'manual' else 'scheduled' end,
    timestamp '2030-01-01' + n * interval '157 seconds',
    timestamp '2030-01-01' + n * interval '157 seconds',
    n % 5,
    n % 7 = 0,
    'scheduler',
    n % 100, n % 90, n % 80, n % 70, 'night', 1
  from generate_series(1, 200000) n)";

/// A filled table, made once for the whole suite.
struct filled_table {
  static const fresh_database& database() {
    static const fresh_database one = [] { return fresh_database(); }();
    static const bool filled = [] {
      pqxx::connection connection(one.url());
      pqxx::nontransaction session(connection);
      session.exec(fill);
      session.exec("analyze orchestration_runs");
      return true;
    }();
    BOOST_REQUIRE(filled);
    return one;
  }

  std::string plan(const char* sql, const std::string& values) {
    return plan(queries_statement{"health", sql}, values);
  }

  /// The plan for the statement with these values, as a session of `queries` gets it.
  std::string plan(const queries_statement& statement, const std::string& values) {
    pqxx::connection connection(database().url());
    pqxx::nontransaction session(connection);
    session.exec("set plan_cache_mode = force_custom_plan; set timezone to 'UTC'");
    session.exec("prepare question as " + statement.sql);
    std::string plan;
    for (const auto& row : session.exec("explain execute question(" + values + ")"))
      plan += std::string(row[0].c_str()) + "\n";
    BOOST_TEST_MESSAGE(statement.name << ":\n" << plan);
    return plan;
  }
};

const std::string tenant = "md5('42')::uuid";

bool walks(const std::string& plan, const std::string& index) {
  return plan.find(" " + index + " ") != std::string::npos || plan.find(" " + index + "\n") != std::string::npos;
}

bool reads_the_whole_table(const std::string& plan) {
  return plan.find("Seq Scan on orchestration_runs") != std::string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(queries_plan_dbtest, filled_table)

BOOST_AUTO_TEST_CASE(active_runs_walk_the_index_on_tenant_and_status) {
  const auto found = plan(active_runs_statement(), tenant + ", 1000");
  BOOST_TEST(walks(found, "ix_orchestration_runs_tenant_status"));
  BOOST_TEST(!reads_the_whole_table(found));
}

BOOST_AUTO_TEST_CASE(history_walks_the_index_on_tenant_and_start) {
  const auto found = plan(run_history_statement(), tenant + ", '2030-06-01', '2030-06-08', 1000");
  BOOST_TEST(walks(found, "ix_orchestration_runs_tenant_started"));
  BOOST_TEST(!reads_the_whole_table(found));
}

BOOST_AUTO_TEST_CASE(metrics_walk_the_index_on_tenant_and_start) {
  const auto found = plan(metrics_summary_statement(), tenant + ", '2030-12-01'");
  BOOST_TEST(walks(found, "ix_orchestration_runs_tenant_started"));
  BOOST_TEST(!reads_the_whole_table(found));
}

BOOST_AUTO_TEST_CASE(attention_walks_an_index_on_status_and_the_index_on_attention) {
  const auto found = plan(runs_needing_attention_statement(), "null, 1000, null, null, null");
  BOOST_TEST((walks(found, "ix_orchestration_runs_status_started") || walks(found, "ix_orchestration_runs_status")));
  BOOST_TEST(walks(found, "ix_orchestration_runs_attention"));
  BOOST_TEST(!reads_the_whole_table(found));
}

BOOST_AUTO_TEST_CASE(single_runs_are_found_by_their_key_or_number) {
  BOOST_TEST(walks(plan(find_run_statement(), "null, gen_random_uuid()"), "orchestration_runs_pkey"));
  BOOST_TEST(walks(plan(find_run_by_number_statement(), tenant + ", 'ORCH-42'"), "ix_orchestration_runs_run_number"));
}

BOOST_AUTO_TEST_CASE(a_page_of_a_tenant_is_found_without_sorting_the_table) {
  const auto first = plan(list_runs_statement(), tenant + ", null, null, null, null, null, null, null, 101, null");
  BOOST_TEST(walks(first, "orchestration_runs_tenant_created"));
  const auto later =
    plan(list_runs_statement(), tenant + ", null, null, null, null, null, '2030-06-01', gen_random_uuid(), 101, null");
  BOOST_TEST(walks(later, "orchestration_runs_tenant_created"));
}

BOOST_AUTO_TEST_CASE(a_page_across_all_tenants_is_found_by_creation) {
  const auto found =
    plan(list_runs_statement(), "null, null, null, null, null, null, '2030-06-01', gen_random_uuid(), 101, null");
  BOOST_TEST(walks(found, "orchestration_runs_created_at"));
}

BOOST_AUTO_TEST_CASE(verification_walks_the_key) {
  const std::string from = "null, null, null, 'a0000000-0000-4000-8000-000000000000', ";
  BOOST_TEST(walks(plan(verify_rows_statement(), from + "null, 1000"), "orchestration_runs_pkey"));
  BOOST_TEST(walks(plan(verify_ids_statement(), from + "null, 1000"), "orchestration_runs_pkey"));
  const auto page = plan(verify_rows_statement(), from + "'a0100000-0000-4000-8000-000000000000', null");
  BOOST_TEST(walks(page, "orchestration_runs_pkey"));
  BOOST_TEST(!reads_the_whole_table(page));
}

BOOST_AUTO_TEST_CASE(health_reads_no_table_as_a_whole) {
  for (const std::string status : {"pending", "running"}) {
    const auto counted = plan(count_runs_statement, "'" + status + "', 1000000");
    BOOST_TEST(!reads_the_whole_table(counted));
    const auto oldest = plan(oldest_run_statement, "'" + status + "'");
    BOOST_TEST(walks(oldest, "ix_orchestration_runs_status_started"));
  }
  BOOST_TEST(walks(plan(count_attention_statement, "1000000"), "ix_orchestration_runs_attention"));
  BOOST_TEST(walks(plan(attention_first_statement, "5"), "ix_orchestration_runs_attention"));
}

BOOST_AUTO_TEST_CASE(how_many_runs_there_are_is_estimated_without_reading_them) {
  queries ask({.url = database().url()});
  const auto all = ask.estimated_runs({operator_scope{}});
  BOOST_TEST(all > 150'000U);
  BOOST_TEST(all < 250'000U);
  BOOST_TEST(ask.estimated_runs({tenant_id{*uuid::parse("a1d0c6e8-3f02-7327-d846-1063f4ac58a6")}}) < 5'000U);
}

BOOST_AUTO_TEST_SUITE_END()
