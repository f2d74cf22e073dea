// `levain watch` while its daemon goes away, and comes back or not.
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <memory>

#include <nlohmann/json.hpp>

#include "tests/support/daemon.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"

using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr auto patience = 60s;
const std::string tenant = "6f1c2a90-5b7e-4d0a-8c31-0a4e5d2b7c01";

/// A daemon with a run that lasts until it is cancelled, and somebody who watches it.
struct watched {
  explicit watched(const std::string& span) {
    daemon->wait_until_ready();
    daemon->register_workflow(json::parse(R"({"workflow": "long", "version": 1, "steps": [
      {"name": "rise", "timeout": "1h", "effect": "none", "call": {"simulate": {"time": "30m"}}}]})"));
    const auto started = daemon->post("/v1/tenants/" + tenant + "/runs", {{"workflow", "long"}});
    BOOST_TEST_REQUIRE(started.has_value());
    run = started->json()["id"].get<std::string>();
    watch = std::make_unique<running_program>(program_options{
      "levain",
      {"watch", run, "--patience", span, "--interval", "50ms"},
      {{"LEVAIN_URL", daemon->url()}, {"LEVAIN_TENANT", tenant}}});
    BOOST_TEST(eventually([&] { return has(watch->output(), "run_started"); }, patience), watch->errors());
  }

  std::vector<std::string> options() const {
    return {"--database", database.url(), "--lease-duration", "1s", "--heartbeat-interval", "100ms"};
  }
  bool says(const std::string& what) {
    return eventually([&] { return has(watch->errors(), what); }, patience);
  }

  fresh_database database{fresh_database::contents::nothing};
  std::unique_ptr<running_daemon> daemon = std::make_unique<running_daemon>(options());
  std::string run;
  std::unique_ptr<running_program> watch;
};

} // namespace

BOOST_AUTO_TEST_SUITE(cli_watch_test)

BOOST_AUTO_TEST_CASE(a_watch_says_that_its_daemon_is_away_and_goes_on_when_it_is_back) {
  watched it("60s");
  const auto url = it.daemon->url();
  it.daemon->program().kill_and_wait();
  BOOST_TEST(it.says("no daemon answers at " + url), it.watch->errors());
  BOOST_TEST(has(it.watch->errors(), "waiting up to"), it.watch->errors());
  auto again = it.options();
  again.insert(again.end(), {"--listen", url.substr(url.find("127"))});
  running_program next({"levaind", again});
  BOOST_TEST(it.says("the daemon answers again"), it.watch->errors() << next.errors());
  BOOST_TEST(it.watch->running());
  // The run's shard is another node's until the lease of the dead one has run out.
  program_result cancelled;
  BOOST_TEST(
    eventually(
      [&] {
        cancelled =
          run_to_end({"levain", {"cancel", it.run}, {{"LEVAIN_URL", url}, {"LEVAIN_TENANT", tenant}}}, patience);
        return cancelled.status == 0;
      },
      patience),
    cancelled.errors);
  const auto end = it.watch->wait(patience);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 1);
  // Once each, however often it was asked.
  const auto errors = it.watch->errors();
  BOOST_TEST(errors.find("no daemon answers") == errors.rfind("no daemon answers"), errors);
}

BOOST_AUTO_TEST_CASE(a_watch_that_waited_long_enough_says_how_to_go_on) {
  watched it("300ms");
  it.daemon->program().kill_and_wait();
  const auto end = it.watch->wait(patience);
  BOOST_TEST_REQUIRE(end.has_value());
  BOOST_TEST(end->status.value_or(-1) == 3);
  BOOST_TEST(has(it.watch->errors(), "levain watch " + it.run + " follows it again"), it.watch->errors());
}

BOOST_AUTO_TEST_CASE(a_watch_without_a_daemon_fails_at_once) {
  const auto none = run_to_end(
    {"levain", {"watch", "ORCH-20261127-00000001", "--tenant", tenant, "--url", "http://127.0.0.1:9"}, {}}, patience);
  BOOST_TEST(none.status == 3);
  BOOST_TEST(has(none.errors, "no daemon answers at http://127.0.0.1:9"), none.errors);
}

BOOST_AUTO_TEST_SUITE_END()
