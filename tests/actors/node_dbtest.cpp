// A whole node on a real PostgreSQL, in this process.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "actors/node.hpp"
#include "actors/recovery.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "actors/workflow_cache.hpp"
#include "persistence/postgres_definition_store.hpp"
#include "persistence/postgres_journal.hpp"
#include "persistence/queries.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;
const tenant_id tenant{*uuid::parse("11111111-1111-4111-8111-111111111111")};

template <class Outcome>
class awaited {
public:
  receiver<Outcome> receiver_of() {
    return [promise = promise_](Outcome outcome) { promise->set_value(std::move(outcome)); };
  }
  Outcome get() {
    auto future = promise_->get_future();
    BOOST_TEST_REQUIRE((future.wait_for(patience) == std::future_status::ready));
    return future.get();
  }

private:
  std::shared_ptr<std::promise<Outcome>> promise_ = std::make_shared<std::promise<Outcome>>();
};

workflow_ptr parsed(const std::string& text) {
  auto result = parse_definition(text);
  BOOST_TEST_REQUIRE(result.workflow != nullptr, (result.errors.empty() ? "" : to_string(result.errors.front())));
  return result.workflow;
}

std::string chain_of_five(const std::string& simulate) {
  nlohmann::json steps = nlohmann::json::array();
  for (int i = 1; i <= 5; ++i) {
    nlohmann::json step = {
      {"name", "step" + std::to_string(i)}, {"call", {{"simulate", nlohmann::json::parse(simulate)}}}};
    if (i > 1)
      step["needs"] = {"step" + std::to_string(i - 1)};
    steps.push_back(std::move(step));
  }
  return nlohmann::json{{"workflow", "chain"}, {"version", 1}, {"steps", steps}}.dump();
}

void put(node& on, const workflow_ptr& workflow) {
  awaited<register_outcome> told;
  on.put_workflow(workflow, told.receiver_of());
  const auto outcome = told.get();
  BOOST_TEST_REQUIRE(
    std::holds_alternative<definition_store::put_result>(outcome),
    (std::holds_alternative<std::string>(outcome) ? std::get<std::string>(outcome) : ""));
}

void wait_until_ready(node& on) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    awaited<node_status> told;
    on.status(told.receiver_of());
    const auto runs = told.get().runs;
    if (runs.shards_ready == shard_count && runs.has_run_numbers)
      return;
    BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < deadline));
    std::this_thread::yield();
  }
}

start_acknowledged start_one(node& on, const workflow_ptr& workflow, std::optional<std::string> key = std::nullopt) {
  awaited<start_outcome> told;
  start_request request{.tenant = tenant, .workflow = workflow};
  request.idempotency_key = std::move(key);
  on.start(std::move(request), told.receiver_of());
  auto outcome = told.get();
  const auto* refused = std::get_if<start_refused>(&outcome);
  BOOST_TEST_REQUIRE(refused == nullptr, (refused != nullptr ? refused->message : ""));
  return std::get<start_acknowledged>(outcome);
}

void wait_until_none_is_live(node& on) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    awaited<node_status> told;
    on.status(told.receiver_of());
    if (told.get().runs.runs_live == 0)
      return;
    BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < deadline));
    std::this_thread::yield();
  }
}

/// Folds each journal and compares it with the row.
void check_rows_equal_folds(const std::string& url, const std::vector<run_id>& runs, run_status expected) {
  postgres_journal journal({.url = url});
  queries reading({.url = url});
  workflow_cache workflows(std::make_unique<postgres_definition_store>(postgres_definition_store_options{.url = url}));
  for (const auto& run : runs) {
    const auto row = reading.find_run(tenant, run);
    BOOST_TEST_REQUIRE(row.has_value());
    BOOST_TEST((row->status == expected), "run " << to_string(run) << " is " << to_string(row->status));
    const auto folded = audit_of(fold_journal(run, journal.read(run), workflows));
    BOOST_TEST((folded == *row), "the row of run " << to_string(run) << " differs from its journal");
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(node_dbtest)

BOOST_AUTO_TEST_CASE(five_hundred_runs_end_and_their_rows_equal_their_journals) {
  const test::fresh_database database;
  node engine({.name = "test"}, postgres_ports(database.url()));
  wait_until_ready(engine);
  const auto workflow = parsed(chain_of_five(R"({"output":{"n":1}})"));
  put(engine, workflow);
  std::mutex mutex;
  std::vector<run_id> runs;
  for (int i = 0; i < 500; ++i)
    engine.start({.tenant = tenant, .workflow = workflow}, [&](start_outcome outcome) {
      std::lock_guard guard(mutex);
      if (const auto* told = std::get_if<start_acknowledged>(&outcome))
        runs.push_back(told->run);
    });
  wait_until_none_is_live(engine);
  engine.stop();
  BOOST_TEST_REQUIRE(runs.size() == 500u);
  check_rows_equal_folds(database.url(), runs, run_status::completed);
}

BOOST_AUTO_TEST_CASE(a_node_under_load_is_looked_at_often_and_found_healthy) {
  const test::fresh_database database;
  node_options options{.name = "test"};
  options.watchdog.look_interval = std::chrono::milliseconds(100);
  options.watchdog.page_runs_max = 500;
  options.watchdog.listed_rows_max = 700;
  options.dispatcher.append_wait_max = std::chrono::minutes(1); // All of them at once, however slow the machine is.
  node engine(options, postgres_ports(database.url()));
  wait_until_ready(engine);
  const auto quick = parsed(chain_of_five(R"({"distribution":"exponential","time":"20ms","fail_rate":0.1})"));
  put(engine, quick);
  const auto looks = [&] {
    awaited<node_status> told;
    engine.status(told.receiver_of());
    return told.get().liveness;
  };
  const auto deadline = std::chrono::steady_clock::now() + patience;
  // Wave upon wave, until enough looks have seen runs in every kind of motion.
  for (int wave = 0; looks().looks < 8; ++wave) {
    BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < deadline));
    for (int i = 0; i < 300; ++i)
      engine.start({.tenant = tenant, .workflow = quick}, [](const start_outcome&) {});
    start_one(engine, quick);
  }
  const auto found = looks();
  BOOST_TEST(
    found.violations_in_all() == 0u, found.violations_in_all()
                                       << " violations; " << (found.last.empty() ? "" : found.last.back().detail));
  engine.stop();
}

BOOST_AUTO_TEST_CASE(a_node_takes_up_what_its_predecessor_left) {
  const test::fresh_database database;
  const auto workflow = parsed(chain_of_five(R"({"time":"300ms"})"));
  std::vector<run_id> runs;
  {
    node first({.name = "first"}, postgres_ports(database.url()));
    wait_until_ready(first);
    put(first, workflow);
    for (int i = 0; i < 20; ++i)
      runs.push_back(start_one(first, workflow).run);
    first.stop();
  }
  node second({.name = "second"}, postgres_ports(database.url()));
  wait_until_ready(second);
  wait_until_none_is_live(second);
  second.stop();
  check_rows_equal_folds(database.url(), runs, run_status::completed);
}

BOOST_AUTO_TEST_CASE(the_same_key_starts_one_run) {
  const test::fresh_database database;
  node engine({.name = "test"}, postgres_ports(database.url()));
  wait_until_ready(engine);
  const auto workflow = parsed(chain_of_five("{}"));
  put(engine, workflow);
  const auto first = start_one(engine, workflow, "monday");
  const auto again = start_one(engine, workflow, "monday");
  BOOST_TEST((first.run == again.run));
  BOOST_TEST(!first.repeated);
  BOOST_TEST(again.repeated);
  awaited<start_outcome> told;
  start_request other{.tenant = tenant, .workflow = workflow};
  other.idempotency_key = "monday";
  other.input = R"({"changed":true})";
  engine.start(std::move(other), told.receiver_of());
  const auto outcome = told.get();
  BOOST_TEST_REQUIRE(std::holds_alternative<start_refused>(outcome));
  BOOST_TEST((std::get<start_refused>(outcome).reason == start_refused::reason_type::key_conflict));
}

BOOST_AUTO_TEST_CASE(a_registered_function_does_steps) {
  const test::fresh_database database;
  node engine({.name = "test"}, postgres_ports(database.url()));
  engine.add_function("double_it", [](const call_request& request) -> call_result {
    const auto body = nlohmann::json::parse(request.body);
    return nlohmann::json{{"value", body.at("input").at("value").get<int>() * 2}}.dump();
  });
  wait_until_ready(engine);
  const auto workflow = parsed(
    R"({"workflow":"doubling","version":1,"steps":[{"name":"twice","call":{"function":{"name":"double_it"}},
        "record":{"forecasts_generated":"/value"}}]})");
  put(engine, workflow);
  awaited<start_outcome> told;
  engine.start({.tenant = tenant, .workflow = workflow, .input = R"({"value":21})"}, told.receiver_of());
  const auto run = std::get<start_acknowledged>(told.get()).run;
  wait_until_none_is_live(engine);
  queries reading({.url = database.url()});
  BOOST_TEST(reading.find_run(tenant, run)->forecasts_generated == 42);
}

BOOST_AUTO_TEST_SUITE_END()
