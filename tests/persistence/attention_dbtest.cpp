#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <pqxx/pqxx>

#include "persistence/queries.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using levain::test::fresh_database;

namespace {

using texts = std::vector<std::string>;

const std::string tenant = "11111111-1111-4111-8111-111111111111";

struct needing {
  void add(const std::string& number, const std::string& started_at, const std::string& run_type = "manual") {
    pqxx::connection connection(database.url());
    pqxx::nontransaction(connection)
      .exec(
        "insert into orchestration_runs (run_number, tenant_id, status, started_at, run_type) values ('" + number +
        "', '" + tenant + "', 'failed', '" + started_at + "', '" + run_type + "')");
  }

  static texts numbers(const run_list& list) {
    texts all;
    for (const auto& each : list.runs)
      all.push_back(each.run_number);
    return all;
  }

  const fresh_database database;
  queries ask{{.url = database.url()}};
};

} // namespace

BOOST_AUTO_TEST_SUITE(attention_dbtest)

BOOST_FIXTURE_TEST_CASE(pages_of_attention_show_each_run_once_whatever_leaves_or_joins_meanwhile, needing) {
  // Two of one moment, so that the id decides.
  for (const auto* number : {"A", "B", "C", "D", "E"})
    add(number, "2031-03-12 10:00");
  attention_filter filter{operator_scope{}};
  filter.limit = 2;
  texts seen;
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = ask.runs_needing_attention(filter);
    for (const auto& each : numbers(page))
      seen.push_back(each);
    if (page.next.empty())
      break;
    filter.cursor = page.next;
    add("later " + std::to_string(pages), "2031-03-13 10:00");
  }
  std::sort(seen.begin(), seen.end());
  BOOST_TEST(seen == (texts{"A", "B", "C", "D", "E"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_type_of_run_is_listed_when_it_is_asked_for, needing) {
  add("manual", "2031-03-12 10:00");
  add("test", "2031-03-12 11:00", "test");
  add("scheduled", "2031-03-12 12:00", "scheduled");
  const auto of = [&](const std::string& type) {
    attention_filter filter{operator_scope{}};
    filter.run_type = type;
    return numbers(ask.runs_needing_attention(filter));
  };
  BOOST_TEST(of("test") == texts{"test"}, boost::test_tools::per_element());
  BOOST_TEST(of("manual") == texts{"manual"}, boost::test_tools::per_element());
  BOOST_TEST(
    numbers(ask.runs_needing_attention({operator_scope{}})) == (texts{"scheduled", "manual"}),
    boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_cursor_that_is_none_is_refused, needing) {
  for (const std::string cursor : {"x", "2031-99-99_00:00:00_018f0000-0000-7000-8000-000000000000"}) {
    attention_filter filter{operator_scope{}};
    filter.cursor = cursor;
    BOOST_CHECK_THROW(ask.runs_needing_attention(filter), std::invalid_argument);
  }
}

BOOST_FIXTURE_TEST_CASE(durations_are_averaged_with_their_fractions, needing) {
  add("A", "2031-03-12 10:00");
  add("B", "2031-03-12 10:00");
  add("C", "infinity");
  pqxx::connection connection(database.url());
  pqxx::nontransaction(connection).exec(R"(
    update orchestration_runs
    set status = 'completed', duration_seconds = 0,
        completed_at = started_at + case run_number when 'A' then interval '900 ms' else interval '400 ms' end)");
  const tenant_id ours{*uuid::parse(tenant)};
  const auto averages = ask.metrics_summary(ours, *parse_timestamp("2031-01-01T00:00:00Z"));
  BOOST_TEST(averages.runs == 3);
  BOOST_TEST(averages.duration_seconds.value() == 0.65, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_SUITE_END()
