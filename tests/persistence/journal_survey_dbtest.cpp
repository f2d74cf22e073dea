#include <boost/test/unit_test.hpp>

#include <algorithm>

#include <pqxx/pqxx>

#include "persistence/database_health.hpp"
#include "persistence/journal.hpp"
#include "persistence/postgres_journal.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using levain::test::fresh_database;

namespace {

const timestamp noon = *parse_timestamp("2031-03-12T12:00:00Z");

struct surveyed {
  fresh_database database;
  postgres_journal journal{{.url = database.url()}};
  std::vector<shard_lease> shards{{7, 1}, {8, 1}};
  uint64_t made = 0;

  void execute(const std::string& statement) const {
    pqxx::connection connection(database.url());
    pqxx::nontransaction session(connection);
    session.exec(statement);
  }

  /// A run of shard 7 with a row and these events.
  run_id run(const std::string& status, const std::vector<std::string>& kinds, const std::string& body = "null") {
    ++made;
    const auto id = make_run_id(noon, {made, made}, 7);
    if (!status.empty())
      execute(
        "insert into orchestration_runs (id, run_number, tenant_id, status, workflow) values ('" + to_string(id) +
        "', 'RUN-" + std::to_string(made) + "', gen_random_uuid(), '" + status + "', 'w')");
    int seq = 0;
    for (const auto& kind : kinds)
      execute(
        "insert into run_events (run_id, seq, at, kind, body) values ('" + to_string(id) + "', " +
        std::to_string(++seq) + ", now(), '" + kind + "', " + body + ")");
    return id;
  }
};

using runs = std::vector<run_id>;

} // namespace

BOOST_AUTO_TEST_SUITE(journal_survey_dbtest)

BOOST_FIXTURE_TEST_CASE(a_run_whose_row_contradicts_its_journal_is_found, surveyed) {
  run("running", {"run_accepted", "run_started"});
  run("cancelled", {"run_accepted", "run_cancelled"});
  run("completed", {});
  const auto edited = run("cancelled", {"run_accepted", "run_started"});
  const auto deleted = run("", {"run_accepted"});
  run("", {"run_accepted", "run_failed"});
  const auto retried = run("failed", {"run_accepted", "run_failed", "run_retried"});
  run("failed", {"run_accepted", "run_failed", "attention_resolved"});
  const auto page = journal.survey(shards, {}, 1000);
  BOOST_TEST((page.contradicted == runs{edited, deleted, retried}));
  BOOST_TEST(!page.next.has_value());
  BOOST_TEST(journal.survey({{9, 1}}, {}, 1000).contradicted.empty());
  execute("update orchestration_runs set status = 'running'");
  auto still = journal.contradicted({edited, deleted, retried});
  BOOST_TEST((still == runs{deleted}));
}

BOOST_FIXTURE_TEST_CASE(the_survey_goes_page_by_page_and_ends, surveyed) {
  runs all;
  for (int i = 0; i < 5; ++i)
    all.push_back(run("", {"run_accepted", "run_started", "run_paused"}));
  runs found;
  std::optional<run_id> before;
  int pages = 0;
  do {
    const auto page = journal.survey(shards, before, 4);
    found.insert(found.end(), page.contradicted.begin(), page.contradicted.end());
    before = page.next;
  } while (before && ++pages < 20);
  std::sort(found.begin(), found.end(), [](const run_id& a, const run_id& b) { return a.value < b.value; });
  BOOST_TEST((found == all));
}

BOOST_FIXTURE_TEST_CASE(sizes_are_those_of_what_is_sent_and_end_at_the_limit, surveyed) {
  const auto small = run("running", {"run_accepted"});
  // 1,000 numbers of 309 digits each, from 6 KB of text.
  const auto large =
    run("running", {"run_accepted"}, "(select jsonb_agg(1e308::numeric) from generate_series(1, 1000))");
  const auto sizes = journal.sizes({small, large, small}, 1'000'000);
  BOOST_TEST_REQUIRE(sizes.size() == 3U);
  BOOST_TEST(sizes[0] < 1000U);
  BOOST_TEST(sizes[1] > 309'000U);
  BOOST_TEST(journal.sizes({small, large, small}, 100'000).size() == 2U);
  BOOST_TEST(journal.sizes({large, small}, 1).size() == 1U);
  BOOST_TEST(journal.sizes({}, 1).empty());
}

BOOST_FIXTURE_TEST_CASE(the_health_counts_runs_whose_rows_contradict_their_journals, surveyed) {
  run("running", {"run_accepted", "run_started"});
  run("cancelled", {"run_accepted", "run_started"});
  run("", {"run_accepted"});
  run("failed", {"run_accepted", "run_failed", "attention_resolved"});
  BOOST_TEST(read_database_health(database.url()).runs.contradicted.size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
