// What a run costs in PostgreSQL: commits, statements, rows and bytes of the write-ahead log, of a whole node with its
// own threads and default limits on a server of its own. The first batch waits until every run is there, and so many
// runs are on their way at once that every batch is a full one however fast the machine is today; what depends on time
// (projections, heartbeats, the watchdog, autovacuum) does not happen meanwhile, and pages are not written whole after
// a checkpoint.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <future>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <thread>

#include "actors/node.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "persistence/embedded_postgres.hpp"
#include "persistence/migrator.hpp"
#include "tests/guards/gated_journal.hpp"
#include "tests/guards/recorded_figures.hpp"
#include "tests/guards/statement_counts.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// Twenty full batches wait at any time.
constexpr size_t runs = 10'000;
constexpr auto patience = 300s;
/// Longer than the test.
constexpr auto never = 24h;

const tenant_id tenant{*uuid::parse("11111111-1111-4111-8111-111111111111")};

/// Five strict steps, one after another, that take no time.
workflow_ptr strict_chain() {
  nlohmann::json steps = nlohmann::json::array();
  for (int i = 1; i <= 5; ++i) {
    nlohmann::json step = {{"name", "step" + std::to_string(i)}, {"call", {{"simulate", nlohmann::json::object()}}}};
    if (i > 1)
      step["needs"] = {"step" + std::to_string(i - 1)};
    steps.push_back(std::move(step));
  }
  auto parsed = parse_definition(nlohmann::json{{"workflow", "chain"}, {"version", 1}, {"steps", steps}}.dump());
  BOOST_TEST_REQUIRE(parsed.errors.empty(), (parsed.errors.empty() ? "" : to_string(parsed.errors.front())));
  return parsed.workflow;
}

/// What a node is asked for, waited for.
template <class Outcome, class Ask>
Outcome answer_of(Ask&& ask) {
  auto told = std::make_shared<std::promise<Outcome>>();
  auto outcome = told->get_future();
  ask(receiver<Outcome>([told](Outcome value) { told->set_value(std::move(value)); }));
  BOOST_TEST_REQUIRE((outcome.wait_for(patience) == std::future_status::ready));
  return outcome.get();
}

dispatcher_status runs_of(node& engine) {
  return answer_of<node_status>([&](auto told) { engine.status(std::move(told)); }).runs;
}

template <class Condition>
void wait_until(const char* what, Condition&& holds) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < deadline), "waited in vain until " << what);
    std::this_thread::sleep_for(5ms);
  }
}

node_options options_without_time() {
  node_options options{.name = "guard", .sole = true};
  options.run.projection_interval = never;
  options.lease.lease_duration = never;
  options.lease.heartbeat_interval = never;
  options.watchdog.off = true;
  return options;
}

/// The node's own way to the database, but that the writer waits at the gate.
node_ports gated_ports(const std::string& url, const std::shared_ptr<gate>& entrance) {
  auto ports = postgres_ports(url);
  ports.make_journal = [make = ports.make_journal, entrance](const std::string& name) -> std::unique_ptr<journal> {
    auto store = make(name);
    if (!name.starts_with("writer"))
      return store;
    return std::make_unique<gated_journal>(std::move(store), entrance);
  };
  return ports;
}

/// What the server did while the runs went on.
struct written {
  std::vector<statement_count> statements;
  int64_t wal_bytes = 0;
};

written complete_runs(const std::string& url) {
  statement_counts counts(url);
  const auto entrance = std::make_shared<gate>();
  const auto workflow = strict_chain();
  std::atomic<size_t> acknowledged = 0;
  node engine(options_without_time(), gated_ports(url, entrance));
  wait_until("the node is ready", [&] {
    const auto status = runs_of(engine);
    return status.shards_ready == shard_count && status.has_run_numbers;
  });
  const auto put = answer_of<std::variant<definition_store::put_result, std::string>>(
    [&](auto told) { engine.put_workflow(workflow, std::move(told)); });
  BOOST_TEST_REQUIRE(put.index() == 0U);

  counts.begin();
  for (size_t i = 0; i < runs; ++i)
    engine.start({.tenant = tenant, .workflow = workflow}, [&](const start_outcome& outcome) {
      acknowledged += std::holds_alternative<start_acknowledged>(outcome) ? 1 : 0;
    });
  wait_until("every run is there", [&] { return runs_of(engine).runs_live == runs; });
  entrance->open();
  wait_until("every run has ended", [&] { return runs_of(engine).runs_live == 0; });
  BOOST_TEST_REQUIRE(acknowledged.load() == runs);
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
  spdlog::set_level(spdlog::level::warn);
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
  check_figure("commits_per_thousand_runs", 1000.0 * static_cast<double>(commits) / runs);
  check_figure("statements_per_batch", static_cast<double>(calls) / static_cast<double>(commits));
  check_figure("rows_written_per_run", static_cast<double>(rows) / runs);
  check_figure("wal_bytes_per_run", static_cast<double>(written.wal_bytes) / runs);
}

BOOST_AUTO_TEST_SUITE_END()
