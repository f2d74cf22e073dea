#include <boost/test/unit_test.hpp>
#include <future>

#include <cstdlib>
#include <fstream>
#include <pqxx/pqxx>
#include <sstream>

#include "persistence/event_record.hpp"
#include "persistence/ids.hpp"
#include "persistence/migrator.hpp"
#include "persistence/schema_analytics.hpp"
#include "persistence/schema_facts.hpp"
#include "persistence/schema_partitions.hpp"
#include "test_paths.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using levain::test::fresh_database;

namespace {

const std::string golden = std::string(LEVAIN_SOURCE_DIR) + "/tests/persistence/schema.sql";

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class session {
public:
  explicit session(const fresh_database& database)
    : connection_(database.url()) {}

  void execute(const std::string& statement) {
    pqxx::work transaction(connection_);
    transaction.exec(statement);
    transaction.commit();
  }

  std::string value(const std::string& query) {
    pqxx::work transaction(connection_);
    return transaction.exec1(query)[0].c_str();
  }

  void event(const run_id& run, int seq) {
    execute(
      "insert into run_events (run_id, seq, at, kind) values ('" + to_string(run) + "', " + std::to_string(seq) +
      ", now(), 'run_accepted')");
  }

  void row(const run_id& run, const std::string& status) {
    execute(
      "insert into orchestration_runs (id, run_number, tenant_id, status) values ('" + to_string(run) + "', '" +
      to_string(run) + "', gen_random_uuid(), '" + status + "')");
  }

private:
  pqxx::connection connection_;
};

const timestamp a_wednesday = *parse_timestamp("2031-03-12T10:00:00Z");
const auto a_week = std::chrono::weeks(1);

run_id run_of(timestamp at) {
  static uint64_t minted = 0;
  return make_run_id(at, {++minted, minted}, 5);
}

} // namespace

BOOST_AUTO_TEST_SUITE(schema_dbtest)

BOOST_AUTO_TEST_CASE(the_schema_is_the_golden_one) {
  const fresh_database database;
  pqxx::connection connection(database.url());
  pqxx::work transaction(connection);
  const auto actual = "-- What the migrations make, as the catalog tells it. Made anew with LEVAIN_UPDATE_GOLDEN=1.\n" +
                      to_text(read_schema_facts(transaction, "public"));
  if (std::getenv("LEVAIN_UPDATE_GOLDEN") != nullptr)
    std::ofstream(golden) << actual;
  BOOST_TEST(actual == read_file(golden));
}

BOOST_AUTO_TEST_CASE(the_audit_table_has_the_documented_columns_and_indexes) {
  const fresh_database database;
  session sql(database);
  BOOST_TEST(
    sql.value("select count(*) from information_schema.columns where table_name = 'orchestration_runs' and column_name "
              "not in ('workflow', 'workflow_version', 'attention')") == "54");
  BOOST_TEST(
    sql.value("select count(*) from pg_indexes where tablename = 'orchestration_runs' and indexname like 'ix_%' and "
              "indexname <> 'ix_orchestration_runs_attention'") == "15");
}

BOOST_AUTO_TEST_CASE(event_kinds_are_those_of_the_program) {
  const fresh_database database;
  session sql(database);
  std::string names;
  for (int i = 0; i < event_kind_count; ++i)
    names += (i == 0 ? "" : ",") + std::string(to_string(static_cast<event_kind>(i)));
  BOOST_TEST(sql.value("select array_to_string(enum_range(null::run_event_kind), ',')") == names);
}

BOOST_AUTO_TEST_CASE(updated_at_follows_an_update_by_hand_in_any_time_zone) {
  const fresh_database database;
  session sql(database);
  sql.row(run_of(a_wednesday), "running");
  sql.execute("update orchestration_runs set updated_at = '2020-01-01'");
  sql.execute("set timezone to 'Asia/Tokyo'; update orchestration_runs set priority = 'high'");
  BOOST_TEST(
    sql.value("select abs(extract(epoch from updated_at - (now() at time zone 'UTC'))) < 60 from orchestration_runs") ==
    "t");
}

BOOST_AUTO_TEST_CASE(an_update_that_sets_updated_at_keeps_it) {
  const fresh_database database;
  session sql(database);
  sql.row(run_of(a_wednesday), "running");
  sql.execute("update orchestration_runs set priority = 'high', updated_at = '2020-01-01'");
  BOOST_TEST(sql.value("select updated_at from orchestration_runs") == "2020-01-01 00:00:00");
}

BOOST_AUTO_TEST_CASE(partitions_are_made_for_the_coming_weeks_once) {
  const fresh_database database;
  const auto made = ensure_partitions(database.url(), a_wednesday, std::chrono::weeks(2));
  const std::vector<std::string> weeks = {"run_events_20310310", "run_events_20310317", "run_events_20310324"};
  BOOST_TEST(made == weeks, boost::test_tools::per_element());
  BOOST_TEST(ensure_partitions(database.url(), a_wednesday, std::chrono::weeks(2)).empty());
}

BOOST_AUTO_TEST_CASE(an_event_stands_in_the_week_its_run_began) {
  const fresh_database database;
  session sql(database);
  ensure_partitions(database.url(), a_wednesday, std::chrono::weeks(2));
  sql.event(run_of(a_wednesday + a_week), 1);
  BOOST_TEST(sql.value("select tableoid::regclass from run_events") == "run_events_20310317");
}

BOOST_AUTO_TEST_CASE(events_without_a_week_wait_in_the_default_partition_and_move) {
  const fresh_database database;
  session sql(database);
  const auto run = run_of(a_wednesday);
  sql.event(run, 1);
  sql.event(run, 2);
  BOOST_TEST(sql.value("select count(*) from run_events_default") == "2");
  ensure_partitions(database.url(), a_wednesday, std::chrono::weeks(0));
  BOOST_TEST(sql.value("select count(*) from run_events_default") == "0");
  BOOST_TEST(sql.value("select count(*) from run_events_20310310") == "2");
}

BOOST_AUTO_TEST_CASE(weeks_out_of_range_are_refused) {
  const fresh_database database;
  BOOST_CHECK_THROW(
    ensure_partitions(database.url(), a_wednesday, partitions_ahead_max + a_week), std::invalid_argument);
  BOOST_CHECK_THROW(ensure_partitions(database.url(), a_wednesday, -a_week), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(old_partitions_go_with_their_start_keys_and_leave_the_audit_rows) {
  const fresh_database database;
  session sql(database);
  ensure_partitions(database.url(), a_wednesday, std::chrono::weeks(2));
  const auto run = run_of(a_wednesday);
  sql.event(run, 1);
  sql.row(run, "completed");
  sql.execute("insert into run_starts values (gen_random_uuid(), 'k', '" + to_string(run) + "', 'f')");
  const auto drops = drop_partitions_before(database.url(), a_wednesday + a_week);
  BOOST_TEST(drops.refused.empty());
  BOOST_TEST(drops.dropped.back() == "run_events_20310310");
  BOOST_TEST(sql.value("select count(*) from run_events") == "0");
  BOOST_TEST(sql.value("select count(*) from run_starts") == "0");
  BOOST_TEST(sql.value("select count(*) from orchestration_runs") == "1");
  BOOST_TEST(sql.value("select to_regclass('run_events_20310317') is not null") == "t");
}

BOOST_AUTO_TEST_CASE(a_partition_with_an_unfinished_run_stays) {
  const fresh_database database;
  session sql(database);
  ensure_partitions(database.url(), a_wednesday, std::chrono::weeks(0));
  const auto run = run_of(a_wednesday);
  sql.event(run, 1);
  sql.row(run, "running");
  const auto drops = drop_partitions_before(database.url(), a_wednesday + a_week);
  BOOST_TEST_REQUIRE(drops.refused.size() == 1u);
  BOOST_TEST(drops.refused[0] == "run_events_20310310 stays: 1 run in it is not ended");
  BOOST_TEST(sql.value("select count(*) from run_events") == "1");
}

BOOST_AUTO_TEST_CASE(analytics_count_runs_by_tenant_and_day) {
  const fresh_database database;
  session sql(database);
  sql.execute(R"(
    insert into orchestration_runs (run_number, tenant_id, status, started_at, quality_score, duration_seconds)
    values ('a', '00000000-0000-0000-0000-000000000001', 'completed', '2031-03-12 01:00', 80, 10),
           ('b', '00000000-0000-0000-0000-000000000001', 'failed', '2031-03-12 23:00', 90, 20),
           ('c', '00000000-0000-0000-0000-000000000002', 'completed', '2031-03-12 23:00', 50, 30))");
  refresh_analytics(database.url());
  BOOST_TEST(
    sql.value("select concat_ws(' ', runs, completed, failed, quality_score_avg::int, duration_seconds_avg::int) from "
              "orchestration_daily where day = '2031-03-12' and tenant_id = '00000000-0000-0000-0000-000000000001'") ==
    "2 1 1 85 15");
}

BOOST_AUTO_TEST_CASE(the_daily_average_has_the_fractions_of_the_times) {
  const fresh_database database;
  session sql(database);
  sql.execute(R"(
    insert into orchestration_runs (run_number, tenant_id, status, started_at, completed_at, duration_seconds)
    values ('a', '00000000-0000-0000-0000-000000000001', 'completed', '2031-03-12 01:00', '2031-03-12 01:00:00.9', 0),
           ('b', '00000000-0000-0000-0000-000000000001', 'completed', '2031-03-12 01:00', '2031-03-12 01:00:00.4', 0),
           ('c', '00000000-0000-0000-0000-000000000001', 'completed', '2031-03-12 01:00', null, 2),
           ('d', '00000000-0000-0000-0000-000000000001', 'completed', '2031-03-12 01:00', 'infinity', null))");
  refresh_analytics(database.url());
  BOOST_TEST(sql.value("select round(duration_seconds_avg, 3) from orchestration_daily") == "1.100");
}

BOOST_AUTO_TEST_CASE(who_reads_in_another_zone_sees_the_moment) {
  const fresh_database database;
  session sql(database);
  sql.execute("insert into orchestration_runs (run_number, tenant_id, started_at) values ('a', gen_random_uuid(), "
              "'2031-03-12 01:00:00.123456')");
  sql.execute("set timezone to 'Europe/Berlin'");
  BOOST_TEST(sql.value("select started_at from orchestration_runs_tz") == "2031-03-12 02:00:00.123456+01");
  BOOST_TEST(
    sql.value("select count(*) from information_schema.columns where table_name = 'orchestration_runs_tz'") ==
    sql.value("select count(*) from information_schema.columns where table_name = 'orchestration_runs'"));
}

BOOST_AUTO_TEST_CASE(the_zoned_view_and_the_daily_one_are_the_same_over_times_that_have_a_zone) {
  const fresh_database database;
  session sql(database);
  const auto text = [&](const std::string& view) {
    return sql.value("select pg_get_viewdef('" + view + "'::regclass)");
  };
  const auto zoned = text("orchestration_runs_tz");
  const auto remade = "create view remade as " + zoned;
  sql.execute("drop view orchestration_runs_tz");
  sql.execute("drop materialized view orchestration_daily");
  sql.execute("alter table orchestration_runs alter column started_at type timestamptz using started_at at time zone "
              "'UTC', alter column completed_at type timestamptz using completed_at at time zone 'UTC'");
  sql.execute(remade);
  BOOST_TEST(text("remade") == zoned);
  sql.execute("insert into orchestration_runs (run_number, tenant_id, started_at) values ('a', gen_random_uuid(), "
              "'2031-03-12 02:00:00+01')");
  sql.execute("set timezone to 'UTC'");
  BOOST_TEST(sql.value("select started_at from remade") == "2031-03-12 01:00:00+00");
}

BOOST_AUTO_TEST_CASE(json_indexes_are_made_on_request_once) {
  const fresh_database database;
  BOOST_TEST(create_json_indexes(database.url()).size() == 3u);
  BOOST_TEST(create_json_indexes(database.url()).empty());
  BOOST_TEST(verify_schema(database.url()).empty());
}

BOOST_AUTO_TEST_CASE(of_programs_that_make_the_indexes_at_once_each_is_made_once) {
  const fresh_database database;
  auto other = std::async(std::launch::async, [&] { return create_json_indexes(database.url()).size(); });
  const auto here = create_json_indexes(database.url()).size();
  BOOST_TEST(here + other.get() == 3U);
  for (const auto& each : list_json_indexes(database.url()))
    BOOST_TEST((each.state == json_index::state_type::present), each.name);
}

BOOST_AUTO_TEST_CASE(json_indexes_are_listed_and_dropped) {
  const fresh_database database;
  session sql(database);
  using state = json_index::state_type;
  const auto states = [&] {
    std::vector<state> all;
    for (const auto& each : list_json_indexes(database.url()))
      all.push_back(each.state);
    return all;
  };
  BOOST_TEST((states() == std::vector{state::missing, state::missing, state::missing}));
  BOOST_TEST(drop_json_indexes(database.url()).empty());
  create_json_indexes(database.url());
  sql.execute(
    "update pg_index set indisvalid = false where indexrelid = 'ix_orchestration_runs_run_metadata'::regclass");
  BOOST_TEST((states() == std::vector{state::present, state::invalid, state::present}));
  BOOST_TEST(list_json_indexes(database.url())[0].column == "forecast_data");
  BOOST_TEST(drop_json_indexes(database.url()).size() == 3u);
  BOOST_TEST((states() == std::vector{state::missing, state::missing, state::missing}));
}

BOOST_AUTO_TEST_SUITE_END()
