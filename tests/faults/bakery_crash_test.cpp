// The bakery's night on a private PostgreSQL that dies and comes back with its daemon.
#include <boost/test/unit_test.hpp>

#include "persistence/embedded_postgres.hpp"
#include "persistence/timestamp.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/bakery_night.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr size_t runs_per_bakery = 20;
constexpr int kills = 6;
/// What the ledger grows by between two kills: some thirty-five calls.
constexpr size_t ledger_bytes_between_kills = 10'000;

} // namespace

BOOST_AUTO_TEST_SUITE(bakery_crash_test)

BOOST_AUTO_TEST_CASE(work_is_done_once_however_often_daemon_and_database_die) {
  // Given: the bakery's night, twenty times for each of three bakeries, by services that take their time.
  const temporary_folder folder;
  running_bakery bakery;
  auto slow = json::object();
  for (const char* service : {"forecasting", "production", "procurement", "notifications", "insights"})
    slow[service] = {{"slow_ms", 40}};
  bakery.set_faults(slow);
  auto arguments = bakery.variables();
  arguments.insert(arguments.end(), {"--embedded", folder / "database"});
  const auto workflow = night_workflow();
  std::vector<starter> callers;
  for (const auto& tenant : bakery.tenants())
    callers.emplace_back(tenant, workflow.at("workflow"));
  BOOST_TEST_REQUIRE(callers.size() == 3U);

  // When: the daemon is killed again and again while calls are out.
  std::vector<interruption> interruptions;
  for (int killed = 0; killed < kills; ++killed) {
    running_daemon daemon(arguments);
    daemon.wait_until_ready();
    if (killed == 0) {
      daemon.register_workflow(workflow);
      for (auto& each : callers)
        BOOST_TEST_REQUIRE(each.start(daemon.url(), runs_per_bakery) == runs_per_bakery);
    }
    const auto until = bakery.ledger_bytes() + ledger_bytes_between_kills;
    BOOST_TEST(eventually([&] { return bakery.ledger_bytes() >= until; }, generous));
    const auto from = to_rfc3339(now_utc());
    daemon.program().kill_and_wait();
    interruptions.push_back(away_since(from));
  }

  // Then: all runs end, and each work was done once for its key, however often it was asked for.
  running_daemon daemon(arguments);
  const auto url = embedded_postgres_url(folder / "database");
  evidence seen(url);
  BOOST_TEST(!seen.all_ended());
  for (const auto& each : callers)
    check_all_is_well(seen, each);
  BOOST_TEST(seen.runs() == 3 * runs_per_bakery);
  const call_audit audit(url, bakery, workflow);
  for (const auto& each : audit.contradictions(interruptions))
    BOOST_ERROR(each);
  BOOST_TEST(audit.runs_ended_as("completed") == 3 * runs_per_bakery);
  BOOST_TEST(audit.figures().keys == 3 * runs_per_bakery * workflow.at("steps").size());
  BOOST_TEST(audit.figures().answered_from_memory > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
