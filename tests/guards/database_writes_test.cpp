// What a run costs in PostgreSQL: statements, rows and bytes of the write-ahead log, of the journal on a server of its
// own. The batches are full ones, made from the run machine's decisions beforehand, so that nothing depends on how fast
// the machine is today: each carries what so many runs have to remember next. Pages are not written whole after a
// checkpoint, and nobody vacuums.
#include <boost/test/unit_test.hpp>

#include <fmt/format.h>
#include <pqxx/pqxx>

#include "actors/node_options.hpp"
#include "persistence/embedded_postgres.hpp"
#include "persistence/migrator.hpp"
#include "persistence/postgres_journal.hpp"
#include "tests/guards/recorded_figures.hpp"
#include "tests/guards/run_course.hpp"
#include "tests/guards/statement_counts.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/workflow_shapes.hpp"

using namespace levain;
using namespace levain::test;

namespace {

constexpr size_t runs = 10'000;

/// What the server did while the runs were written.
struct written {
  std::vector<statement_count> statements;
  int64_t wal_bytes = 0;
};

/// The batches that a writer makes of these appends.
std::vector<std::vector<run_append>> full_batches(const std::vector<run_append>& appends) {
  const auto most = persistence_options{}.batch_runs_max;
  std::vector<std::vector<run_append>> batches;
  for (size_t first = 0; first < appends.size(); first += most) {
    const auto begin = appends.begin() + static_cast<std::ptrdiff_t>(first);
    batches.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(std::min(most, appends.size() - first)));
  }
  return batches;
}

/// The courses of the runs are made under this epoch.
void own_all_shards(const std::string& url) {
  pqxx::connection connection(url);
  pqxx::work transaction(connection);
  transaction.exec("update shards set epoch = 1");
  transaction.commit();
}

written complete_runs(const std::string& url) {
  own_all_shards(url);
  std::vector<std::vector<run_append>> batches;
  for (const auto& wave : take_courses(chain(5), runs, shape_output))
    for (auto& batch : full_batches(wave))
      batches.push_back(std::move(batch));
  statement_counts counts(url);
  postgres_journal journal({.url = url});
  BOOST_TEST_REQUIRE(journal.read(batches.front().front().run).empty()); // The session is open.
  counts.begin();
  for (const auto& batch : batches) {
    const auto answer = journal.append(batch);
    BOOST_TEST_REQUIRE((answer.status == append_answer::status_type::done), answer.reason);
    for (const auto& outcome : answer.outcomes)
      BOOST_TEST_REQUIRE(std::holds_alternative<append_committed>(outcome));
  }
  return {counts.statements(), counts.wal_bytes()};
}

bool writes_rows(const statement_count& each) {
  return each.text.starts_with("insert into") || each.text.starts_with("update ");
}

/// What everybody does once, opening a session or reserving run numbers, says nothing about runs.
constexpr int64_t calls_shown_min = 10;

void print(const std::vector<statement_count>& statements) {
  constexpr int letters_shown = 60;
  for (const auto& each : statements)
    if (each.calls >= calls_shown_min)
      fmt::print("  {:>6} calls {:>6} rows  {:.{}}\n", each.calls, each.rows, each.text, letters_shown);
}

} // namespace

BOOST_AUTO_TEST_SUITE(database_writes_test)

BOOST_AUTO_TEST_CASE(a_run_writes_no_more_than_recorded) {
  const temporary_folder folder;
  const embedded_postgres_options options{.directory = folder.path(), .volatile_for_tests = true};
  auto server = embedded_postgres::start(options);
  prepare_statement_counts(server->url());
  server->stop();
  server.reset();
  server = embedded_postgres::start(options);
  migrate_up(server->url());
  const auto written = complete_runs(server->url());
  print(written.statements);

  int64_t calls = 0;
  int64_t rows = 0;
  int64_t commits = 0;
  for (const auto& each : written.statements) {
    calls += each.calls;
    rows += writes_rows(each) ? each.rows : 0;
    commits += each.text == "COMMIT" ? each.calls : 0;
  }
  BOOST_TEST_REQUIRE(commits > 0);
  check_figure("statements_per_batch", static_cast<double>(calls) / static_cast<double>(commits));
  check_figure("rows_written_per_run", static_cast<double>(rows) / runs);
  check_figure("wal_bytes_per_run", static_cast<double>(written.wal_bytes) / runs);
}

BOOST_AUTO_TEST_SUITE_END()
