// Nodes that talk to each other and workers that connect to all of them, on one machine.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <functional>
#include <iostream>
#include <optional>
#include <random>
#include <thread>

#include "persistence/embedded_postgres.hpp"
#include "persistence/migrator.hpp"
#include "persistence/timestamp.hpp"
#include "tests/faults/fault_checks.hpp"
#include "tests/support/database_gate.hpp"
#include "tests/support/has.hpp"
#include "tests/support/running_cluster.hpp"
#include "tests/support/seed.hpp"
#include "tests/support/writings.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr size_t runs_wanted = 20'000;
constexpr size_t list = 100;
constexpr size_t shards = 64;
constexpr size_t steps = 3;

nlohmann::json works() {
  auto definition = nlohmann::json::parse(R"({"workflow": "works", "version": 1, "steps": []})");
  for (size_t i = 0; i < steps; ++i) {
    auto step = nlohmann::json::parse(R"({"call": {"worker": {"kind": "work"}}, "timeout": "30s",
      "retry": {"max_attempts": 20, "initial_interval": "50ms", "max_interval": "500ms"}})");
    step["name"] = "work_" + std::to_string(i);
    if (i > 0)
      step["needs"] = {"work_" + std::to_string(i - 1)};
    definition["steps"].push_back(step);
  }
  return definition;
}

/// Three nodes, four workers, one PostgreSQL, and somebody who starts runs at any node until all are acknowledged.
struct whole_cluster {
  explicit whole_cluster(std::vector<std::string> arguments)
    : database(embedded_postgres::start({.directory = folder / "database"}))
    , seen(migrated(database->url()))
    , cluster({.database_url = database->url(), .daemon_arguments = std::move(arguments)}) {
    for (const auto& name : {"anna", "berta", "clara"})
      start_node(name);
    cluster.node("anna").wait_until_ready();
    cluster.node("anna").register_workflow(works());
    for (const auto& name : {"w1", "w2", "w3", "w4"})
      cluster.start_worker(name, 40);
    await_even_shares();
  }

  static std::string migrated(const std::string& url) {
    migrate_up(url);
    return url;
  }

  /// Each has a role of its own in the database, and a gate in front of it.
  void start_node(const std::string& name) {
    auto& gate = database_gates[name];
    if (!gate)
      gate = std::make_unique<database_gate>(seen.url_for(name));
    cluster.start_node(name, gate->url());
  }

  /// Starts lists of runs until so many are acknowledged; a list that was not is asked for again, anywhere.
  void start_runs(size_t until) {
    while (started < until) {
      const auto running = cluster.nodes_running();
      const auto& at = running[random() % running.size()];
      if (starts.start(cluster.node(at).url(), list, "list-" + std::to_string(started)) == list)
        started += list;
      else
        std::this_thread::sleep_for(20ms);
    }
  }

  /// Until the nodes that run have all shards ready.
  void await_all_shards() {
    BOOST_TEST(
      eventually([&] { return cluster.shards_ready() == shards; }, generous), cluster.shards_ready() << " are ready");
  }

  /// Until each of them has its share.
  void await_even_shares() {
    const auto even = [&] {
      const auto names = cluster.nodes_running();
      return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
        const auto ready = cluster.shards_ready(name);
        return ready >= shards / names.size() && ready <= shards / names.size() + 1;
      });
    };
    BOOST_TEST(eventually(even, generous), "the shards are not spread evenly");
  }

  void check() {
    evidence found(database->url());
    check_all_is_well(found, starts);
    BOOST_TEST(found.runs() == started);
    BOOST_TEST(starts.acknowledged().size() == started);
    for (const auto& each : seen.trespasses())
      BOOST_ERROR(each);
    const auto work = cluster.ledger();
    BOOST_TEST(work.done.size() == started * steps);
    size_t again = 0;
    for (const auto& [key, times] : work.done)
      again += times - 1;
    std::cout << started << " runs, " << work.done.size() << " keys done, " << again << " of them again, "
              << starts.repeated() << " starts acknowledged again\n";
    BOOST_TEST(
      run_to_end({.program = "levain", .arguments = {"verify", "--all", "--database", database->url()}}, generous)
        .status == 0);
  }

  temporary_folder folder;
  std::unique_ptr<embedded_postgres> database;
  writings seen;
  std::map<std::string, std::unique_ptr<database_gate>> database_gates;
  running_cluster cluster;
  starter starts{some_tenant, "works"};
  size_t started = 0;
  std::mt19937_64 random{announced_seed()};
};

/// Short leases, so that much happens in little time.
const std::vector<std::string> quick_arguments{"--lease-duration", "2s", "--heartbeat-interval", "300ms"};

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_test)

BOOST_AUTO_TEST_CASE(nothing_is_lost_whatever_happens_to_nodes_workers_and_wires) {
  whole_cluster world(quick_arguments);
  auto& cluster = world.cluster;
  const std::vector<std::string> nodes{"anna", "berta", "clara"};
  const std::vector<std::string> workers{"w1", "w2", "w3", "w4"};
  const auto any = [&](const std::vector<std::string>& of) { return of[world.random() % of.size()]; };

  const std::vector<std::pair<const char*, std::function<void()>>> events{
    {"a node is killed",
     [&] {
       const auto who = any(nodes);
       cluster.kill_node(who);
       world.start_runs(world.started + 500);
       world.start_node(who);
     }},
    {"a worker is killed",
     [&] {
       const auto who = any(workers);
       cluster.kill_worker(who);
       world.start_runs(world.started + 500);
       cluster.start_worker(who, 40);
     }},
    {"a node sleeps beyond its lease",
     [&] {
       const auto who = any(nodes);
       cluster.node(who).program().send_signal(SIGSTOP);
       std::this_thread::sleep_for(3s);
       cluster.node(who).program().send_signal(SIGCONT);
     }},
    {"a worker sleeps",
     [&] {
       const auto who = any(workers);
       cluster.worker(who).send_signal(SIGSTOP);
       std::this_thread::sleep_for(3s);
       cluster.worker(who).send_signal(SIGCONT);
     }},
    {"a node is cut off from its peers and workers",
     [&] {
       const auto who = any(nodes);
       cluster.gate_of(who).shut();
       world.start_runs(world.started + 500);
       cluster.gate_of(who).reopen();
     }},
    {"a node's peers hear nothing of it",
     [&] {
       const auto who = any(nodes);
       cluster.gate_of(who).swallow();
       std::this_thread::sleep_for(3s);
       // What was swallowed leaves holes: those connections are of no use any more.
       cluster.gate_of(who).shut();
       cluster.gate_of(who).reopen();
     }},
    {"a node is cut off from the database",
     [&] {
       const auto who = any(nodes);
       world.database_gates.at(who)->shut();
       std::this_thread::sleep_for(3s);
       world.database_gates.at(who)->reopen();
     }},
    {"PostgreSQL is restarted",
     [&] {
       world.database.reset();
       std::this_thread::sleep_for(500ms);
       world.database = embedded_postgres::start({.directory = world.folder / "database"});
     }},
    {"a node leaves and comes back",
     [&] {
       const auto who = any(nodes);
       BOOST_TEST(cluster.stop_node(who, generous), who << ": " << cluster.node(who).program().errors());
       world.start_runs(world.started + 500);
       world.start_node(who);
     }},
    {"a fourth node joins and goes",
     [&] {
       world.start_node("dora");
       world.start_runs(world.started + 500);
       BOOST_TEST(cluster.stop_node("dora", generous));
     }},
  };
  std::vector<size_t> order;
  for (size_t i = 0; i < 2 * events.size(); ++i)
    order.push_back(i % events.size());
  std::shuffle(order.begin(), order.end(), world.random);
  for (const auto which : order) {
    std::cout << events[which].first << std::endl;
    BOOST_TEST_CONTEXT(events[which].first) {
      events[which].second();
      world.start_runs(world.started + 300);
    }
  }
  world.start_runs(runs_wanted);
  world.check();
}

BOOST_AUTO_TEST_CASE(a_node_that_comes_back_under_another_id_is_reached_by_the_others) {
  whole_cluster world(quick_arguments);
  auto& cluster = world.cluster;
  cluster.node("anna").register_workflow(nlohmann::json::parse(R"({"workflow": "waits", "version": 1, "steps": [
    {"name": "one", "call": {"worker": {"kind": "nobody"}}, "timeout": "1h"}]})"));
  starter waiting{some_tenant, "waits"};
  for (const auto& name : cluster.nodes_running())
    BOOST_TEST_REQUIRE(waiting.start(cluster.node(name).url(), list, "wait at " + name) == list);

  // When: it loses its lease, while it stays connected with all others.
  world.database_gates.at("berta")->shut();
  BOOST_TEST(
    eventually([&] { return cluster.shards_ready("anna") + cluster.shards_ready("clara") == shards; }, generous));
  world.database_gates.at("berta")->reopen();
  world.await_even_shares();
  BOOST_TEST(!has(cluster.node("anna").program().errors(), "peer_lost"));

  // Then: a wish for any run is granted, whoever is asked; for those that it has now too.
  for (const auto& [asked, wish] : {std::pair("anna", "pause"), {"clara", "resume"}, {"berta", "cancel"}})
    for (const auto& run : waiting.acknowledged()) {
      const auto path = "/v1/tenants/" + some_tenant + "/runs/" + run + '/' + wish;
      const auto answer = cluster.node(asked).post(path, {{"by", "anna"}});
      BOOST_TEST_REQUIRE(answer.has_value());
      BOOST_TEST(answer->status == 200, asked << ": " << answer->body);
    }
}

BOOST_AUTO_TEST_CASE(a_long_step_goes_on_while_its_run_moves_from_node_to_node) {
  whole_cluster world(quick_arguments);
  auto& cluster = world.cluster;
  cluster.node("anna").register_workflow(nlohmann::json::parse(R"({"workflow": "takes_long", "version": 1, "steps": [
    {"name": "one", "call": {"worker": {"kind": "long", "heartbeat": "5s"}}, "timeout": "1m",
     "retry": {"max_attempts": 1}}]})"));
  for (const auto& name : {"w5", "w6"})
    cluster.start_worker(name, list, "long");
  const auto seen_by_all = [&] {
    const auto nodes = cluster.nodes_running();
    return std::all_of(nodes.begin(), nodes.end(), [&](const std::string& name) {
      const auto answer = cluster.node(name).get("/v1/operator/workers");
      return answer && answer->status == 200 && answer->json().at("workers").size() == 6u;
    });
  };
  BOOST_TEST_REQUIRE(eventually(seen_by_all, generous));
  starter long_runs{some_tenant, "takes_long"};
  BOOST_TEST_REQUIRE(long_runs.start(cluster.node("anna").url(), list, "long") == list);
  BOOST_TEST_REQUIRE(eventually([&] { return cluster.ledger().begun.size() == list; }, generous));

  // When: every shard has moved at least once.
  for (const auto& who : {"anna", "berta", "clara"}) {
    BOOST_TEST(cluster.stop_node(who, generous), cluster.node(who).program().errors());
    world.start_node(who);
    cluster.node(who).wait_until_ready();
  }

  // Then: what was being done was done, mostly without being begun again, and counts.
  evidence found(world.database->url());
  BOOST_TEST(eventually([&] { return found.all_ended(); }, generous));
  check_all_is_well(found, long_runs);
  const auto work = cluster.ledger();
  BOOST_TEST(work.done.size() == list);
  size_t begun = 0;
  for (const auto& [key, times] : work.begun)
    begun += times;
  std::cout << list << " long steps, begun " << begun << " times\n";
  BOOST_TEST(begun <= list + list / 10);
}

BOOST_AUTO_TEST_CASE(the_runs_of_a_killed_node_move_again_within_two_seconds_of_its_lease) {
  // The defaults.
  whole_cluster world({});
  for (const auto& who : {"berta", "clara"}) {
    world.await_even_shares();
    world.start_runs(world.started + 2'000);
    const auto killed = std::chrono::steady_clock::now();
    world.cluster.kill_node(who);
    world.await_all_shards();
    const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - killed);
    std::cout << "all shards move again " << taken.count() << " ms after a kill\n";
    BOOST_TEST(taken.count() <= 7'000);
    world.start_node(who);
  }
  world.check();
}

BOOST_AUTO_TEST_SUITE_END()
