// What an operator does with nodes at the command line: two daemons on one real PostgreSQL; and certificates.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>

#include "tests/support/daemon.hpp"
#include "tests/support/database.hpp"
#include "tests/support/has.hpp"

using namespace levain::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct two_daemons {
  two_daemons() { await_shards(32, 32); }

  std::vector<std::string> called(const std::string& name) const {
    return {"--database", database.url(), "--name", name, "--heartbeat-interval", "100ms", "--lease-duration", "1s"};
  }

  program_result run(std::vector<std::string> arguments) {
    return run_to_end({"levain", std::move(arguments), {{"LEVAIN_URL", bert.url()}}}, 60s);
  }

  json listed() { return json::parse(run({"nodes", "--json"}).output, nullptr, false)["nodes"]; }

  void await_shards(size_t annas, size_t berts) {
    json found;
    const auto spread = [&] {
      found = listed();
      return found.size() == 2 && found[0]["shards"] == annas && found[1]["shards"] == berts;
    };
    BOOST_TEST(eventually(spread, 30s), "the nodes are " << found);
  }

  fresh_database database{fresh_database::contents::nothing};
  running_daemon anna{called("anna")};
  /// The older one is listed first.
  bool anna_is_there = (anna.wait_until_ready(), true);
  running_daemon bert{called("bert")};
};

} // namespace

BOOST_AUTO_TEST_SUITE(cli_nodes_test)

BOOST_AUTO_TEST_CASE(nodes_are_listed_drained_and_undrained) {
  two_daemons both;
  const auto table = both.run({"nodes"});
  BOOST_TEST(table.status == 0, table.errors);
  for (const auto* part : {"NAME", "SHARDS", "LAG", "anna", "bert", "alive", "http://127.0.0.1:"})
    BOOST_TEST(has(table.output, part), part << " is not in " << table.output);

  const auto drained = both.run({"node", "drain", "anna"});
  BOOST_TEST(drained.status == 0, drained.errors);
  BOOST_TEST(has(drained.output, "draining"), drained.output);
  both.await_shards(0, 64);
  BOOST_TEST(has(both.run({"nodes"}).output, "drained"));
  // Whoever is asked says the same.
  const std::string reason = "the node is drained: an operator wants it to hold no shards";
  const auto status = both.run({"status", "--url", both.anna.url()});
  BOOST_TEST(status.status == 1);
  BOOST_TEST(has(status.output, "not ready: " + reason), status.output);
  const auto ready = both.anna.get("/health/ready");
  BOOST_TEST_REQUIRE(ready.has_value());
  BOOST_TEST(ready->status == 503);
  BOOST_TEST(has(ready->body, reason), ready->body);
  const auto doctor = json::parse(both.run({"doctor", "--json", "--url", both.anna.url()}).output, nullptr, false);
  for (const auto& each : doctor["findings"])
    if (each["about"] == "node" && each["name"] == "ready") {
      BOOST_TEST(each["level"] == "notice");
      BOOST_TEST(has(each["value"].get<std::string>(), reason), each);
    }

  const auto id = both.listed()[0]["id"].get<std::string>();
  const auto undrained = both.run({"node", "undrain", id, "--json"});
  BOOST_TEST(json::parse(undrained.output, nullptr, false)["draining"] == false, undrained.output);
  both.await_shards(32, 32);

  const auto unknown = both.run({"node", "drain", "carl"});
  BOOST_TEST(unknown.status == 1);
  BOOST_TEST(has(unknown.errors, "there is no node 'carl'; living are 'anna' " + id), unknown.errors);
}

BOOST_AUTO_TEST_CASE(dead_nodes_that_own_nothing_are_counted_and_shown_when_asked_for) {
  two_daemons both;
  both.anna.program().send_signal(SIGKILL);
  both.await_shards(0, 64);
  const auto living = both.run({"nodes"});
  BOOST_TEST(!has(living.output, "anna"), living.output);
  BOOST_TEST(has(living.output, "dead nodes without shards: 1 (--all shows them)"), living.output);
  const auto all = both.run({"nodes", "--all"});
  BOOST_TEST(has(all.output, "anna"), all.output);
  BOOST_TEST(has(all.output, "dead"), all.output);
}

BOOST_AUTO_TEST_CASE(certificates_are_made_once) {
  const temporary_folder folder;
  const auto where = folder / "certs";
  const auto make = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"certs", where};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_to_end({"levain", arguments, {}}, 60s);
  };
  const auto made = make({"--node", "oven-1", "--node", "oven-2", "--json"});
  BOOST_TEST(made.status == 0, made.errors);
  const auto files = json::parse(made.output, nullptr, false)["files"];
  BOOST_TEST_REQUIRE(files.size() == 8u);
  for (const auto& each : files)
    BOOST_TEST(std::filesystem::exists(each.get<std::string>()), each);
  BOOST_TEST(files[2] == where + "/oven-1.pem");
  const auto again = make({});
  BOOST_TEST(again.status == 1);
  BOOST_TEST(has(again.errors, "ca.pem' is there already and is not overwritten"), again.errors);
}

BOOST_AUTO_TEST_SUITE_END()
