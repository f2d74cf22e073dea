// The demonstration as its users run it: three endings, nothing left behind, and what it kept can be verified.
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include "persistence/embedded_postgres.hpp"
#include "tests/support/has.hpp"
#include "tests/support/processes.hpp"

using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

program_result run(std::vector<std::string> arguments, const temporary_folder& folder) {
  return run_to_end({"levain", std::move(arguments), {{"TMPDIR", folder.path().string()}}}, 120s);
}

} // namespace

BOOST_AUTO_TEST_SUITE(cli_demo_test)

BOOST_AUTO_TEST_CASE(three_bakeries_have_three_endings) {
  const temporary_folder folder;
  const auto result = run({"demo", "--json"}, folder);
  BOOST_TEST_REQUIRE(result.status == 0, result.errors);
  BOOST_TEST(result.errors == "");
  const auto told = json::parse(result.output);
  BOOST_TEST(told["as_expected"] == true);
  BOOST_TEST_REQUIRE(told["runs"].size() == 3U);
  std::set<std::string> tenants;
  for (const auto& each : told["runs"])
    tenants.insert(each["audit"]["tenant_id"]);
  BOOST_TEST(tenants.size() == 3U);

  const auto& completed = told["runs"][0];
  BOOST_TEST(completed["status"] == "completed");
  BOOST_TEST(completed["compensated"].empty());
  for (const auto* column :
       {"forecast_id", "production_schedule_id", "procurement_plan_id", "forecast_data", "fulfillment_rate",
        "on_time_delivery_rate", "cost_accuracy", "quality_score", "completed_at", "triggered_by", "run_metadata"})
    BOOST_TEST(!completed["audit"][column].is_null(), column);
  for (const auto* column :
       {"forecasts_generated", "production_batches_created", "procurement_plans_created", "purchase_orders_created",
        "notifications_sent", "ai_insights_generated", "ai_insights_posted"})
    BOOST_TEST(completed["audit"][column].get<int>() > 0, column);

  const auto& partial = told["runs"][1];
  BOOST_TEST(partial["status"] == "partial_success");
  BOOST_TEST(partial["audit"]["ai_insights_status"] == "failed");
  BOOST_TEST(partial["compensated"].empty());

  const auto& failed = told["runs"][2];
  BOOST_TEST(failed["status"] == "failed");
  BOOST_TEST(failed["audit"]["notification_status"] == "failed");
  const auto undone = failed["compensated"].get<std::set<std::string>>();
  BOOST_TEST(undone.contains("production"));
  BOOST_TEST(undone.contains("procurement"));
  for (const auto& line : failed["timeline"])
    if (line["step"] == "notifications")
      BOOST_TEST(line["attempts"].size() == 3U);

  BOOST_TEST(told["verification"]["equal"] == 3);
  BOOST_TEST(told["differences"].empty());
}

BOOST_AUTO_TEST_CASE(people_see_timelines_rows_and_the_verification_and_nothing_stays) {
  const temporary_folder folder;
  const auto result = run({"demo"}, folder);
  BOOST_TEST_REQUIRE(result.status == 0, result.errors);
  for (const auto* part :
       {"completed", "partial_success", "undo procurement", "undo production", "failed after 3 attempts",
        "production_schedule_id", "3 equal to the fold of their journal, no differences",
        "Three bakeries, three endings, as expected"})
    BOOST_TEST(has(result.output, part), part);
  BOOST_TEST(!has(result.output, "\033["), "colours are for terminals");
  BOOST_TEST(std::filesystem::is_empty(folder.path()));
}

BOOST_AUTO_TEST_CASE(an_interrupted_demonstration_leaves_nothing) {
  for (const auto& [number, name] :
       {std::pair(SIGTERM, "Terminated"), std::pair(SIGHUP, "Hangup"), std::pair(SIGQUIT, "Quit")}) {
    const temporary_folder folder;
    running_program demo({"levain", {"demo"}, {{"TMPDIR", folder.path().string()}}});
    BOOST_TEST_REQUIRE(eventually([&] { return has(demo.output(), "ready after"); }, 60s), demo.errors());
    demo.send_signal(number);
    const auto end = demo.wait(60s);
    BOOST_TEST_REQUIRE(end.has_value());
    BOOST_TEST(end->status.value_or(-1) == 1, name);
    BOOST_TEST(has(demo.errors(), std::string("interrupted by ") + name), demo.errors());
    BOOST_TEST(std::filesystem::is_empty(folder.path()), name);
  }
}

BOOST_AUTO_TEST_CASE(what_was_kept_can_be_verified_and_damage_is_found) {
  const temporary_folder folder;
  const auto kept = folder / "kept";
  BOOST_TEST_REQUIRE(run({"demo", "--directory", kept}, folder).status == 0);
  const std::vector<std::string> verify{"verify", "--embedded", kept + "/postgres", "--all", "--json"};

  const auto good = run(verify, folder);
  BOOST_TEST_REQUIRE(good.status == 0, good.errors);
  BOOST_TEST(json::parse(good.output)["equal"] == 3);
  {
    const auto server = levain::embedded_postgres::start({.directory = kept + "/postgres"});
    pqxx::connection connection(server->url());
    pqxx::work work(connection);
    work.exec("update orchestration_runs set notifications_sent = 99 where status = 'completed'");
    work.commit();
    // The server of somebody else is used, not a second one started.
    const auto found = run(verify, folder);
    BOOST_TEST(found.status == 1);
    const auto told = json::parse(found.output);
    BOOST_TEST(told["different"] == 1);
    BOOST_TEST(told["found"][0]["place"] == "notifications_sent");
  }
  const auto status = run({"migrate", "status", "--embedded", kept + "/postgres"}, folder);
  BOOST_TEST(status.status == 0);
  BOOST_TEST(has(status.output, "001_initial_schema"));
  // A second night in the same directory adds its runs.
  const auto again = run({"demo", "--directory", kept, "--json"}, folder);
  BOOST_TEST(again.status == 0, again.errors);
}

BOOST_AUTO_TEST_SUITE_END()
