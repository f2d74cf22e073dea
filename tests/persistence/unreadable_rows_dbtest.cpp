#include <boost/test/unit_test.hpp>

#include <algorithm>

#include <pqxx/pqxx>

#include "persistence/database_health.hpp"
#include "persistence/queries.hpp"
#include "tests/support/database.hpp"

// What others write into the tables and this program cannot read is shown as such, and hides nothing else.

using namespace levain;
using levain::test::fresh_database;

namespace {

const tenant_id ours{*uuid::parse("00000000-0000-7000-8000-000000000001")};
const timestamp noon = *parse_timestamp("2031-03-12T12:00:00Z");

struct database_of_others {
  fresh_database database;
  queries ask{queries_options{database.url()}};

  void execute(const std::string& statement) const {
    pqxx::connection connection(database.url());
    // Outside of a transaction: a value that is added to a type can be used at once.
    pqxx::nontransaction session(connection);
    session.exec(statement);
  }

  /// A completed run by its number; `assignments` are SQL that changes its row.
  void row(const std::string& number, const std::string& assignments = "") const {
    execute(
      "insert into orchestration_runs (run_number, tenant_id, status, started_at, created_at) values ('" + number +
      "', '" + to_string(ours) + "', 'completed', '2031-03-12 12:00', '2031-03-12 12:00')");
    if (!assignments.empty())
      execute("update orchestration_runs set " + assignments + " where run_number = '" + number + "'");
  }

  void three_good_rows() const {
    for (const auto* number : {"GOOD-1", "GOOD-2", "GOOD-3"})
      row(number);
  }
};

/// `GOOD-1 GOOD-2, unreadable OLD-1: column ...`, in the order of the numbers.
std::string shown(const run_list& list) {
  std::vector<std::string> parts;
  for (const auto& each : list.runs)
    parts.push_back(each.run_number);
  for (const auto& each : list.unreadable)
    parts.push_back("unreadable " + each.run_number + ": " + each.message);
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const auto& each : parts)
    text += (text.empty() ? "" : ", ") + each;
  return text;
}

const std::string good = "GOOD-1, GOOD-2, GOOD-3";

} // namespace

BOOST_AUTO_TEST_SUITE(unreadable_rows_dbtest)

BOOST_FIXTURE_TEST_CASE(a_row_that_cannot_be_read_hides_no_other, database_of_others) {
  three_good_rows();
  row("OLD-1", "completed_at = 'infinity'");
  const auto expected =
    good + ", unreadable OLD-1: column completed_at: 'infinity' is not a time of the years 1 to 9999";
  BOOST_TEST(shown(ask.list_runs({ours})) == expected);
  BOOST_TEST(shown(ask.list_runs({operator_scope{}})) == expected);
  BOOST_TEST(shown(ask.run_history(ours, noon, noon)) == expected);
}

BOOST_FIXTURE_TEST_CASE(every_time_of_a_row_may_be_beyond_the_calendar, database_of_others) {
  three_good_rows();
  row("X");
  pqxx::connection connection(database.url());
  std::vector<std::string> columns;
  {
    pqxx::nontransaction session(connection);
    for (const auto& each :
         session.exec("select attname from pg_attribute where attrelid = 'orchestration_runs'::regclass "
                      "and atttypid = 'timestamp'::regtype"))
      columns.emplace_back(each[0].c_str());
  }
  BOOST_TEST(columns.size() == 14U);
  for (const auto& column : columns)
    for (const std::string value : {"infinity", "-infinity", "0044-03-15 BC", "294000-01-01"}) {
      execute(
        "begin; set local levain.says_updated_at = on; update orchestration_runs set " + column + " = '" + value +
        "' where run_number = 'X'; commit");
      const auto list = ask.list_runs({ours});
      BOOST_TEST_CONTEXT(column << " = " << value) {
        BOOST_TEST(list.runs.size() == 3U);
        BOOST_TEST_REQUIRE(list.unreadable.size() == 1U);
        BOOST_TEST(list.unreadable[0].column == column);
        BOOST_TEST(list.unreadable[0].run_number == "X");
      }
      execute(
        "begin; set local levain.says_updated_at = on; update orchestration_runs set " + column +
        " = now() where run_number = 'X'; commit");
    }
}

BOOST_FIXTURE_TEST_CASE(a_status_of_another_program_hides_no_other_run, database_of_others) {
  three_good_rows();
  execute("alter type orchestrationstatus add value 'archived'");
  row("OLD-1", "status = 'archived'");
  BOOST_TEST(
    shown(ask.list_runs({ours})) == good + ", unreadable OLD-1: column status: 'archived' is unknown to this program");
}

BOOST_FIXTURE_TEST_CASE(active_runs_and_those_in_need_show_unreadable_rows_too, database_of_others) {
  row("OPEN-1", "status = 'running'");
  row("OPEN-2", "status = 'running', forecasting_started_at = 'infinity'");
  row("FAILED-1", "status = 'failed'");
  row("FAILED-2", "status = 'failed', created_at = '-infinity'");
  BOOST_TEST(
    shown(ask.active_runs(ours)) ==
    "OPEN-1, unreadable OPEN-2: column forecasting_started_at: 'infinity' is not a time of the years 1 to 9999");
  BOOST_TEST(
    shown(ask.runs_needing_attention({operator_scope{}})) ==
    "FAILED-1, unreadable FAILED-2: column created_at: '-infinity' is not a time of the years 1 to 9999");
}

BOOST_FIXTURE_TEST_CASE(pages_go_on_after_a_row_whose_place_is_no_time, database_of_others) {
  three_good_rows();
  row("OLD-1", "created_at = 'infinity'");
  row("OLD-2", "created_at = '294000-01-01'");
  row("OLD-3", "created_at = '0044-03-15 BC'");
  row("OLD-4", "created_at = '-infinity'");
  run_filter filter{ours};
  filter.limit = 1;
  std::vector<std::string> seen;
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = ask.list_runs(filter);
    BOOST_TEST_REQUIRE(page.size() == 1U);
    seen.push_back(page.runs.empty() ? page.unreadable[0].run_number : page.runs[0].run_number);
    filter.cursor = page.next;
    if (filter.cursor.empty())
      break;
  }
  BOOST_TEST_REQUIRE(seen.size() == 7U);
  BOOST_TEST(seen[0] == "OLD-1");
  BOOST_TEST(seen[1] == "OLD-2");
  BOOST_TEST(seen[5] == "OLD-3");
  BOOST_TEST(seen[6] == "OLD-4");
}

BOOST_FIXTURE_TEST_CASE(a_single_run_says_which_column_cannot_be_read, database_of_others) {
  row("OLD-1", "completed_at = 'infinity'");
  const auto names_it = [](const row_unreadable& damage) {
    return damage.why().column == "completed_at" && damage.row().run_number == "OLD-1" &&
           std::string(damage.what()) ==
             "the row of run OLD-1 cannot be read: column completed_at: 'infinity' is not a time of the years 1 to "
             "9999";
  };
  BOOST_CHECK_EXCEPTION(ask.find_run_by_number(ours, "OLD-1"), row_unreadable, names_it);
}

BOOST_FIXTURE_TEST_CASE(the_health_counts_rows_that_cannot_be_read_and_goes_on, database_of_others) {
  three_good_rows();
  row("OPEN-1", "status = 'running', workflow = 'w', started_at = '-infinity'");
  row("OLD-1", "procurement_completed_at = 'infinity'");
  execute("alter type orchestrationstatus add value 'archived'");
  row("OLD-2", "status = 'archived'");
  const auto health = read_database_health(database.url());
  BOOST_TEST(health.runs.unreadable == 3);
  BOOST_TEST(health.runs.unreadable_first.size() == 3U);
  BOOST_TEST(health.runs.running == 1);
}

BOOST_FIXTURE_TEST_CASE(a_node_with_times_that_are_none_hides_no_other, database_of_others) {
  const auto node =
    [&](const std::string& name, const std::string& started, const std::string& heartbeat, const std::string& lease) {
      execute(
        "insert into nodes (id, name, address, version, lease, started_at, heartbeat_at) values (gen_random_uuid(), '" +
        name + "', '', '1', '" + lease + "', '" + started + "', '" + heartbeat + "')");
    };
  node("good", "now", "now", "1 hour");
  node("eternal", "-infinity", "infinity", "1 hour");
  node("ancient", "0044-03-15 BC", "294000-01-01", "1 hour");
  node("patient", "now", "now", "170000000 years");
  const auto all = ask.view_cluster();
  BOOST_TEST(all.nodes.size() == 4U);
  // A heartbeat that lies ahead by more than a lease is one of a clock that was wrong.
  for (const auto& each : all.nodes)
    BOOST_TEST(each.alive == (each.name == "good"), each.name);
  const auto health = read_database_health(database.url());
  BOOST_TEST(health.nodes.size() == 4U);
  for (const auto& each : health.nodes)
    BOOST_TEST(each.alive == (each.name == "good"), each.name);
  for (const std::string name : {"good", "eternal", "ancient", "patient"}) {
    execute("update shards set node = (select id from nodes where name = '" + name + "') where shard = 5");
    const auto owner = ask.find_owner(shard_number{5});
    BOOST_TEST_REQUIRE(owner.has_value());
    BOOST_TEST(owner->alive == (name == "good"), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
