#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <iostream>
#include <pqxx/pqxx>

#include "persistence/timestamp.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/bakery_night.hpp"
#include "tests/support/writings.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr int rounds = 2;
constexpr size_t shards = 64;
constexpr auto calls_arrive_within = 1s;

std::vector<std::string> arguments_for(const std::string& name) {
  return {"--name", name, "--lease-duration", "2s", "--heartbeat-interval", "200ms"};
}

/// Two daemons on one database, each known to it by a role and a name of its own.
struct two_daemons {
  struct one {
    std::string name;
    running_daemon* daemon;
  };

  two_daemons() {
    BOOST_TEST_REQUIRE(night.begin(50, seen.url_for("anna")));
    auto arguments = night.daemon_arguments(seen.url_for("berta"));
    // The last name counts.
    const auto named = arguments_for("berta");
    arguments.erase(std::find(arguments.begin(), arguments.end(), "--name"), arguments.end());
    arguments.insert(arguments.end(), named.begin(), named.end());
    berta.emplace(arguments);
    BOOST_TEST(eventually([&] { return !seen.nodes_named("berta").empty(); }, generous));
  }

  /// Stops `sleeper` until `other` has everything, and lets it wake while that one works.
  void freeze(const one& sleeper, const one& other) {
    const auto nodes = seen.nodes_named(sleeper.name);
    const auto is_new = [&](const std::string& node) {
      return std::find(nodes.begin(), nodes.end(), node) == nodes.end();
    };
    interruption sleep{.from = to_rfc3339(now_utc()), .woke = true};
    sleeper.daemon->program().send_signal(SIGSTOP);
    night.callers().turn_to(other.daemon->url());
    BOOST_TEST(eventually([&] { return seen.shards_of(other.name) == shards; }, generous));
    const auto taken_over = seen.now();
    other.daemon->wait_until_ready();
    BOOST_TEST(night.callers_are_served());
    BOOST_TEST(night.services_are_called());

    sleeper.daemon->program().send_signal(SIGCONT);
    BOOST_TEST(
      eventually(
        [&] {
          const auto now_known = seen.nodes_named(sleeper.name);
          return std::any_of(now_known.begin(), now_known.end(), is_new);
        },
        generous),
      sleeper.name << " does not come back: " << sleeper.daemon->program().errors());
    // What it sent when it woke may still be on its way to the services.
    sleep.to = to_rfc3339(now_utc() + calls_arrive_within);
    night.interruptions.push_back(sleep);
    BOOST_TEST(night.services_are_called());
    for (const auto& node : nodes)
      BOOST_TEST(seen.written_under(node, taken_over) == 0U, sleeper.name << " as " << node);
  }

  bakery_night night{{.faults = usual_faults(), .daemon_arguments = arguments_for("anna")}};
  writings seen{night.database_url()};
  std::optional<running_daemon> berta;
};

} // namespace

BOOST_AUTO_TEST_SUITE(frozen_daemon_test)

BOOST_FIXTURE_TEST_CASE(nothing_that_a_daemon_does_after_its_lease_is_committed, two_daemons) {
  const one anna{"anna", &night.daemon()};
  const one second{"berta", &*berta};
  for (int round = 0; round < rounds; ++round) {
    BOOST_TEST_CONTEXT("round " << round) {
      freeze(anna, second);
      freeze(second, anna);
    }
  }

  // Then: nobody ever wrote into another's shards, and it recovers.
  for (const auto& each : seen.trespasses())
    BOOST_ERROR(each);
  BOOST_TEST(seen.written_by("anna") > 0U);
  BOOST_TEST(seen.written_by("berta") > 0U);
  for (const auto& each : night.what_is_wrong())
    BOOST_ERROR(each);
}

BOOST_AUTO_TEST_SUITE_END()
