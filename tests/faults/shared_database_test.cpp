// Several daemons on one database: they know of each other by their leases alone.
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <iostream>
#include <map>

#include "persistence/timestamp.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/bakery_night.hpp"
#include "tests/support/writings.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// A call that is out may end where it began: none of the bakery's takes longer than this.
std::vector<std::string> arguments_for(const std::string& name) {
  return {"--name", name, "--lease-duration", "3s", "--heartbeat-interval", "300ms", "--handover-grace", "10s"};
}

struct several_daemons {
  several_daemons() { BOOST_TEST_REQUIRE(night.begin(50, seen.url_for("anna"))); }

  void add(const std::string& name) {
    auto arguments = night.daemon_arguments(seen.url_for(name));
    // The last name counts.
    arguments.erase(std::find(arguments.begin(), arguments.end(), "--name"), arguments.end());
    const auto named = arguments_for(name);
    arguments.insert(arguments.end(), named.begin(), named.end());
    daemons.try_emplace(name, std::make_unique<running_daemon>(arguments));
  }

  /// The callers turn to this one until it has served many of them.
  void turn_to(const std::string& name) {
    night.callers().turn_to(daemons.at(name)->url());
    BOOST_TEST(night.callers_are_served());
  }

  /// Waits until the shards are spread like this; prints how long that took.
  void await_shares(const std::map<std::string, size_t>& shares) {
    const auto begin = std::chrono::steady_clock::now();
    std::string found;
    const auto spread = [&] {
      found.clear();
      bool all = true;
      for (const auto& [name, count] : shares) {
        const auto owned = seen.shards_of(name);
        found += name + " " + std::to_string(owned) + " ";
        all = all && owned == count;
      }
      return all;
    };
    BOOST_TEST(eventually(spread, generous), "the shards are spread so: " << found);
    const auto taken = std::chrono::steady_clock::now() - begin;
    std::cout << "shards: " << found << "after " << std::chrono::duration_cast<std::chrono::milliseconds>(taken).count()
              << " ms\n";
  }

  bakery_night night{{.faults = usual_faults(), .daemon_arguments = arguments_for("anna")}};
  writings seen{night.database_url()};
  std::map<std::string, std::unique_ptr<running_daemon>> daemons;
};

} // namespace

BOOST_AUTO_TEST_SUITE(shared_database_test)

BOOST_FIXTURE_TEST_CASE(daemons_share_the_shards_while_others_come_and_go, several_daemons) {
  // Given: three share evenly.
  add("berta");
  add("clara");
  await_shares({{"anna", 22}, {"berta", 21}, {"clara", 21}});

  // When: one more joins while the callers call.
  turn_to("clara");
  add("dora");
  await_shares({{"anna", 16}, {"berta", 16}, {"clara", 16}, {"dora", 16}});
  turn_to("dora");

  // When: one dies in the midst of its work, and one is asked to go.
  const auto berta = seen.nodes_named("berta");
  turn_to("berta");
  interruption gone{.from = to_rfc3339(now_utc())};
  daemons.at("berta")->program().kill_and_wait();
  night.callers().turn_to(night.daemon().url());
  daemons.at("clara")->program().send_signal(SIGTERM);
  const auto end = daemons.at("clara")->program().wait(generous);
  BOOST_TEST((end && end->status == 0));
  await_shares({{"anna", 32}, {"dora", 32}});
  const auto taken_over = seen.now();
  BOOST_TEST(night.callers_are_served());
  BOOST_TEST(night.services_are_called());
  gone.to = to_rfc3339(now_utc());
  night.interruptions.push_back(gone);

  // Then: all four worked, nobody wrote into another's shards, and it recovers.
  for (const auto& name : {"anna", "berta", "clara", "dora"})
    BOOST_TEST(seen.written_by(name) > 0U, name << " wrote nothing");
  for (const auto& each : seen.trespasses())
    BOOST_ERROR(each);
  for (const auto& node : berta)
    BOOST_TEST(seen.written_under(node, taken_over) == 0U);
  for (const auto& each : night.what_is_wrong())
    BOOST_ERROR(each);
  const auto status = night.daemon().get("/v1/status");
  BOOST_TEST_REQUIRE(status.has_value());
  BOOST_TEST(status->json().at("lease").at("times_fenced") == 0, status->body);
}

BOOST_AUTO_TEST_CASE(a_daemon_with_a_postgresql_of_its_own_and_a_gate_shares_the_shards_too) {
  const temporary_folder folder;
  const running_daemon host({"--embedded", folder / "database", "--cluster", "127.0.0.1:0", "--name", "host"});
  const std::string url = "postgresql://levain@/levain?host=" + (folder / "database/socket");
  const running_daemon guest({"--database", url, "--cluster", "127.0.0.1:0", "--name", "guest"});
  const auto shards_of = [&](const std::string& name) -> int {
    const auto answer = guest.get("/v1/operator/nodes");
    const auto listed = answer ? answer->json().at("nodes") : nlohmann::json::array();
    for (const auto& each : listed)
      if (each.at("name") == name)
        return each.at("shards").get<int>();
    return -1;
  };
  BOOST_TEST(
    eventually([&] { return shards_of("host") == 32 && shards_of("guest") == 32; }, generous),
    "host has " << shards_of("host") << ", guest " << shards_of("guest"));
}

BOOST_AUTO_TEST_SUITE_END()
