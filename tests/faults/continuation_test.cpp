// What was under way beside calls when a daemon died: wishes, pauses, timers.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "persistence/embedded_postgres.hpp"
#include "persistence/timestamp.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/five_steps.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

std::string path_of(const std::string& run) {
  return "/v1/tenants/" + some_tenant + "/runs/" + run;
}

json shown(const running_daemon& daemon, const std::string& run) {
  return daemon.get(path_of(run)).value().json();
}

/// Those of `runs` for which the wish was granted.
std::set<std::string>
granted(const running_daemon& daemon, const std::string& wish, const std::vector<std::string>& runs) {
  std::set<std::string> all;
  for (const auto& run : runs)
    if (daemon.post(path_of(run) + "/" + wish, {{"by", "anna"}}).value().status == 200)
      all.insert(run);
  return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(continuation_test)

BOOST_AUTO_TEST_CASE(wishes_that_were_granted_outlive_the_daemon) {
  const temporary_folder folder;
  const std::vector<std::string> arguments{"--embedded", folder / "database"};
  starter starts(some_tenant, "five_steps");
  std::set<std::string> cancelled;
  std::set<std::string> paused;
  {
    // Given: runs of which some are cancelled and some paused, just before the daemon is killed.
    running_daemon daemon(arguments);
    daemon.register_workflow(five_steps());
    daemon.wait_until_ready();
    BOOST_TEST_REQUIRE(starts.start(daemon.url(), 90) == 90U);
    const std::vector<std::string> all(starts.acknowledged().begin(), starts.acknowledged().end());
    cancelled = granted(daemon, "cancel", {all.begin(), all.begin() + 30});
    paused = granted(daemon, "pause", {all.begin() + 30, all.begin() + 60});
    daemon.program().kill_and_wait();
  }
  BOOST_TEST(!cancelled.empty());
  BOOST_TEST_REQUIRE(!paused.empty());

  // When
  running_daemon daemon(arguments);
  daemon.wait_until_ready();
  evidence seen(embedded_postgres_url(folder / "database"));

  // Then: the cancelled are cancelled, the paused wait for whoever paused them, everything else ends. A run whose last
  // call was out when it was paused takes the answer and ends all the same.
  const auto has_ended = [&](const std::string& run) { return shown(daemon, run).at("status") != "running"; };
  BOOST_TEST(
    eventually(
      [&] {
        return std::all_of(starts.acknowledged().begin(), starts.acknowledged().end(), [&](const std::string& run) {
          return paused.contains(run) || has_ended(run);
        });
      },
      generous),
    seen.runs_ended() << " ended, " << paused.size() << " paused");
  for (const auto& run : cancelled)
    BOOST_TEST(shown(daemon, run).at("status") == "cancelled", run);
  std::set<std::string> waiting;
  for (const auto& run : paused) {
    const json row = shown(daemon, run);
    if (row.at("status") == "running")
      waiting.insert(run);
    else
      BOOST_TEST(row.at("saga_steps_completed") == row.at("saga_steps_total"), run);
  }
  BOOST_TEST_REQUIRE(!waiting.empty());
  BOOST_TEST(granted(daemon, "resume", {waiting.begin(), waiting.end()}) == waiting, boost::test_tools::per_element());
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_CASE(timers_go_on_where_they_were) {
  // Given: a step that failed, whose second attempt is due in some seconds.
  const temporary_folder folder;
  const std::vector<std::string> arguments{"--embedded", folder / "database"};
  starter starts(some_tenant, "patient");
  const auto last_event = [](const running_daemon& daemon, const std::string& run) {
    return daemon.get(path_of(run) + "/events").value().json().at("events").back();
  };
  std::string run;
  timestamp due{};
  {
    running_daemon daemon(arguments);
    daemon.register_workflow(json::parse(R"({"workflow": "patient", "version": 1, "steps": [{"name": "a",
      "call": {"simulate": {"fail_first": 1}}, "retry": {"initial_interval": "5s", "jitter": 0}}]})"));
    daemon.wait_until_ready();
    BOOST_TEST_REQUIRE(starts.start(daemon.url(), 1) == 1U);
    run = *starts.acknowledged().begin();
    BOOST_TEST_REQUIRE(eventually([&] { return last_event(daemon, run).at("kind") == "attempt_failed"; }, generous));
    due = parse_timestamp(last_event(daemon, run).at("body").at("due_at").get<std::string>()).value();

    // When
    daemon.program().kill_and_wait();
  }
  running_daemon daemon(arguments);

  // Then: the attempt is made when it is due; neither at once nor a whole interval after the new start.
  BOOST_TEST_REQUIRE(eventually([&] { return shown(daemon, run).at("status") == "completed"; }, generous));
  const auto events = daemon.get(path_of(run) + "/events").value().json().at("events");
  for (const auto& each : events)
    if (each.at("kind") == "attempt_started") {
      const auto at = parse_timestamp(each.at("at").get<std::string>()).value();
      BOOST_TEST((at >= due));
      BOOST_TEST((at < due + 6s));
    }
  evidence seen(embedded_postgres_url(folder / "database"));
  check_all_is_well(seen, starts);
}

BOOST_AUTO_TEST_SUITE_END()
