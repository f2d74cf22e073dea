// A run whose audit row was deleted or changed by others goes on all the same: its journal is the truth.
#include <boost/test/unit_test.hpp>

#include <pqxx/pqxx>

#include "tests/actors/gateway_world.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::test;
using nlohmann::json;

namespace {

struct changed_by_hand {
  fresh_database database;

  void execute(const std::string& statement) const {
    pqxx::connection connection(database.url());
    pqxx::nontransaction session(connection);
    session.exec(statement);
  }

  std::string value(const std::string& query) const {
    pqxx::connection connection(database.url());
    pqxx::nontransaction session(connection);
    return session.exec1(query)[0].c_str();
  }

  std::unique_ptr<gateway_world> live(bool with_watchdog) const {
    node_options options;
    options.watchdog.off = !with_watchdog;
    options.watchdog.look_interval = std::chrono::milliseconds(50);
    auto world = std::make_unique<gateway_world>(options, postgres_ports(database.url()), database.url());
    world->wait_until_ready();
    return world;
  }

  /// A run that goes on.
  std::string run_that_goes_on() const {
    const auto world = live(false);
    world->register_simulated("bread", {{"time", "1h"}});
    const std::string run = world->start({{"workflow", "bread"}}).at("id");
    world->wait_for(run, "running");
    // The last update of the row is on its way while the run lives.
    const auto done = world->post(world->path("/runs/" + run + "/pause"), {{"by", "anna"}});
    BOOST_TEST(done.status == 200);
    return run;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(row_changed_by_hand_dbtest)

BOOST_FIXTURE_TEST_CASE(a_run_without_its_row_is_taken_up_and_gets_it_back, changed_by_hand) {
  const auto run = run_that_goes_on();
  execute("delete from orchestration_runs");
  const auto world = live(true);
  const auto shown = world->wait_for(run, "running");
  BOOST_TEST(shown.at("activity") == "paused");
  BOOST_TEST(value("select status from orchestration_runs") == "running");
}

BOOST_FIXTURE_TEST_CASE(a_run_whose_row_says_that_it_ended_is_taken_up_and_goes_on, changed_by_hand) {
  const auto run = run_that_goes_on();
  execute("update orchestration_runs set status = 'cancelled'");
  const auto world = live(true);
  world->get_until("/v1/operator/runs?status=running", [](const http_answer& answer) {
    return answer.status == 200 && answer.json().at("runs").size() == 1U;
  });
  BOOST_TEST(world->post(world->path("/runs/" + run + "/cancel"), {{"by", "anna"}}).status == 200);
}

BOOST_FIXTURE_TEST_CASE(asking_why_tells_that_the_row_was_changed_and_takes_the_run_up, changed_by_hand) {
  const auto run = run_that_goes_on();
  execute("update orchestration_runs set status = 'cancelled'");
  const auto world = live(false);
  const auto said = world->get(world->path("/runs/" + run + "/explain"));
  BOOST_TEST_REQUIRE(said.status == 200, said.body);
  BOOST_TEST(said.body.find("its row says that it is cancelled") != std::string::npos, said.body);
  world->get_until("/v1/operator/runs?status=running", [](const http_answer& answer) {
    return answer.status == 200 && answer.json().at("runs").size() == 1U;
  });
}

BOOST_AUTO_TEST_SUITE_END()
