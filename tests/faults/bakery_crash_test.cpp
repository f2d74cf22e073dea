#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>

#include "persistence/embedded_postgres.hpp"
#include "tests/faults/fault_checks.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr size_t runs_per_bakery = 20;
constexpr int kills = 6;
/// Calls to the services between two kills.
constexpr size_t calls_between_kills = 35;

json lines_of(const std::string& file) {
  auto all = json::array();
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    all.push_back(json::parse(line));
  return all;
}

/// The bakery's services as a process. They take their time, so that a kill meets calls that are out.
class running_bakery {
public:
  running_bakery()
    : program_(
        {"levain-bakery",
         {"--state", folder_ / "state", "--slow", "forecasting:40", "--slow", "production:40", "--slow",
          "procurement:40", "--slow", "notifications:40", "--slow", "insights:40"}}) {
    if (!eventually([this] { return program_.output().ends_with("\n"); }, generous))
      throw std::runtime_error("the bakery does not serve; it said: " + program_.errors());
    url_ = program_.output();
    url_.pop_back();
  }

  const std::string& url() const { return url_; }

  std::vector<std::string> tenants() const {
    std::vector<std::string> ids;
    const auto known = ask({.method = "GET", .url = url_ + "/bakeries"}).value().json();
    for (const auto& each : known.at("bakeries"))
      ids.push_back(each.at("tenant"));
    return ids;
  }

  json ledger() const { return ask({.method = "GET", .url = url_ + "/ledger"}).value().json(); }
  std::string state(const std::string& file) const { return folder_ / ("state/" + file); }

private:
  temporary_folder folder_;
  running_program program_;
  std::string url_;
};

std::vector<std::string> daemon_arguments(const std::string& database, const std::string& bakery_url) {
  std::vector<std::string> arguments{"--embedded", database};
  for (const std::string service : {"forecasting", "production", "procurement", "notification", "insights"}) {
    arguments.emplace_back("--var");
    arguments.push_back(service + "_url=" + bakery_url);
  }
  return arguments;
}

} // namespace

BOOST_AUTO_TEST_SUITE(bakery_crash_test)

BOOST_AUTO_TEST_CASE(work_is_done_once_however_often_the_daemon_dies) {
  // Given: the bakery's night, twenty times for each of three bakeries.
  const temporary_folder folder;
  const running_bakery bakery;
  const auto arguments = daemon_arguments(folder / "database", bakery.url());
  std::ifstream definition(LEVAIN_SOURCE_DIR "/apps/bakery/daily_bakery.json");
  const auto workflow = json::parse(definition);
  std::vector<starter> callers;
  for (const auto& tenant : bakery.tenants())
    callers.emplace_back(tenant, "daily_bakery");
  BOOST_TEST_REQUIRE(callers.size() == 3U);

  // When: the daemon is killed again and again while calls are out.
  int killed = 0;
  for (; killed < kills; ++killed) {
    running_daemon daemon(arguments);
    daemon.wait_until_ready();
    if (killed == 0) {
      daemon.register_workflow(workflow);
      for (auto& each : callers)
        BOOST_TEST_REQUIRE(each.start(daemon.url(), runs_per_bakery) == runs_per_bakery);
    }
    const auto before = bakery.ledger().size();
    BOOST_TEST(eventually([&] { return bakery.ledger().size() >= before + calls_between_kills; }, generous));
    daemon.program().kill_and_wait();
  }

  // Then: all runs end,
  running_daemon daemon(arguments);
  evidence seen(embedded_postgres_url(folder / "database"));
  BOOST_TEST(!seen.all_ended());
  for (const auto& each : callers)
    check_all_is_well(seen, each);
  BOOST_TEST(seen.runs() == 3 * runs_per_bakery);

  // and each work was done once for its key, however often it was asked for.
  std::map<std::string, int> done;
  size_t repeated = 0;
  for (const auto& call : bakery.ledger()) {
    BOOST_TEST(call.at("status") == 200, call);
    if (call.at("repeated").get<bool>())
      ++repeated;
    else
      ++done[call.at("key")];
  }
  BOOST_TEST_MESSAGE(repeated << " calls were asked again and answered from memory");
  BOOST_TEST(repeated > 0U);
  BOOST_TEST(done.size() == 3 * runs_per_bakery * workflow.at("steps").size());
  for (const auto& [key, times] : done)
    BOOST_TEST(times == 1, key);
  std::map<std::string, int> kept;
  for (const auto& work : lines_of(bakery.state("done.jsonl")))
    ++kept[work.at("key")];
  BOOST_TEST(kept.size() == done.size());
  for (const auto& [key, times] : kept)
    BOOST_TEST(times == 1, key);
}

BOOST_AUTO_TEST_SUITE_END()
