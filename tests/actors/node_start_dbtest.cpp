// What a node says when it starts, and leaves behind when it ends, on a real PostgreSQL.
#include <boost/test/unit_test.hpp>

#include <future>
#include <pqxx/pqxx>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sstream>
#include <thread>

#include "actors/node.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"
#include "tests/support/processes.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;
const tenant_id tenant{*uuid::parse("11111111-1111-4111-8111-111111111111")};

/// What is logged while it is there.
class log_of_this_test {
public:
  log_of_this_test()
    : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    sink->set_pattern("%l %v");
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", std::move(sink)));
  }
  ~log_of_this_test() { spdlog::set_default_logger(before_); }
  log_of_this_test(const log_of_this_test&) = delete;
  log_of_this_test& operator=(const log_of_this_test&) = delete;

  /// Only once nobody logs any more.
  std::string text() const { return text_.str(); }

private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

node_status status_of(node& of) {
  std::promise<node_status> told;
  of.status([&](node_status status) { told.set_value(std::move(status)); });
  return told.get_future().get();
}

void wait_until_ready(node& on) {
  BOOST_TEST_REQUIRE(test::eventually(
    [&] {
      const auto runs = status_of(on).runs;
      return runs.shards_ready == shard_count && runs.has_run_numbers;
    },
    patience));
}

workflow_ptr put(node& on, const std::string& text) {
  const auto workflow = parse_definition(text).workflow;
  BOOST_TEST_REQUIRE(workflow != nullptr);
  std::promise<void> told;
  on.put_workflow(workflow, [&](const register_outcome&) { told.set_value(); });
  told.get_future().get();
  return workflow;
}

void start(node& on, const workflow_ptr& workflow) {
  std::promise<start_outcome> told;
  on.start(
    {.tenant = tenant, .workflow = workflow}, [&](start_outcome outcome) { told.set_value(std::move(outcome)); });
  BOOST_TEST_REQUIRE(std::holds_alternative<start_acknowledged>(told.get_future().get()));
}

} // namespace

BOOST_AUTO_TEST_SUITE(node_start_dbtest)

BOOST_AUTO_TEST_CASE(a_node_says_at_its_start_which_registered_workflows_it_cannot_serve) {
  const test::fresh_database database;
  {
    node first({.name = "first"}, postgres_ports(database.url()));
    wait_until_ready(first);
    put(first, R"({"workflow": "shop", "version": 3, "steps": [
      {"name": "a", "call": {"http": {"method": "POST", "url": "${shop_url}/a"}}},
      {"name": "b", "call": {"worker": {"kind": "bake"}}}]})");
    put(first, R"({"workflow": "plain", "version": 1, "steps": [{"name": "a", "call": {"simulate": {}}}]})");
  }
  const log_of_this_test log;
  {
    node second({.name = "second"}, postgres_ports(database.url()));
    wait_until_ready(second);
    // Behind what it does first, on the same thread.
    put(second, R"({"workflow": "later", "version": 1, "steps": [{"name": "a", "call": {"simulate": {}}}]})");
  }
  const auto text = log.text();
  BOOST_TEST(test::has(text, "warning workflow_waits workflow=shop version=3 for=\"variable shop_url\"\n"), text);
  BOOST_TEST(test::has(text, "warning workflow_waits workflow=shop version=3 for=\"gate for workers\"\n"), text);
  BOOST_TEST(!test::has(text, "workflow=plain"), text);
  BOOST_TEST(!test::has(text, "workflow=later"), text);
}

BOOST_AUTO_TEST_CASE(a_node_that_has_what_it_needs_says_nothing) {
  const test::fresh_database database;
  const log_of_this_test log;
  {
    node first({.name = "first", .variables = {{"shop_url", "http://shop"}}}, postgres_ports(database.url()));
    wait_until_ready(first);
    put(first, R"({"workflow": "shop", "version": 3, "steps": [
      {"name": "a", "call": {"http": {"method": "POST", "url": "${shop_url}/a"}}}]})");
  }
  {
    node second({.name = "second", .variables = {{"shop_url", "http://shop"}}}, postgres_ports(database.url()));
    wait_until_ready(second);
    put(second, R"({"workflow": "later", "version": 1, "steps": [{"name": "a", "call": {"simulate": {}}}]})");
  }
  BOOST_TEST(!test::has(log.text(), "workflow_waits"), log.text());
}

BOOST_AUTO_TEST_CASE(a_node_that_ends_in_order_gives_the_run_numbers_back_that_it_has_not_used) {
  const test::fresh_database database;
  for (int round = 1; round <= 2; ++round) {
    node engine({.name = "test"}, postgres_ports(database.url()));
    wait_until_ready(engine);
    const auto workflow =
      put(engine, R"({"workflow": "plain", "version": 1, "steps": [{"name": "a", "call": {"simulate": {}}}]})");
    for (int i = 0; i < 5; ++i)
      start(engine, workflow);
    engine.stop();
    pqxx::connection connection(database.url());
    pqxx::work reading(connection);
    BOOST_TEST(reading.exec1("select next from run_numbers")[0].as<int>() == 1 + 5 * round);
  }
}

BOOST_AUTO_TEST_SUITE_END()
