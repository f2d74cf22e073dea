// What an operator sees of the nodes over HTTP, and lets them do: two nodes on one real PostgreSQL.
#include <boost/test/unit_test.hpp>

#include <set>

#include "persistence/migrations.hpp"
#include "persistence/postgres_leases.hpp"
#include "tests/actors/gateway_world.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::test;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

const std::string nodes_path = "/v1/operator/nodes";

node_options called(const std::string& name) {
  node_options options;
  options.name = name;
  options.address = "http://" + name;
  options.lease.heartbeat_interval = 50ms;
  return options;
}

struct two_nodes {
  fresh_database database;
  gateway_world anna{called("anna"), postgres_ports(database.url()), database.url()};
  /// The older one is listed first.
  bool anna_has_joined = (anna.wait_until_ready(), true);
  gateway_world bert{called("bert"), postgres_ports(database.url()), database.url()};

  two_nodes() { await_shards("anna", 32); }

  json node(const std::string& name) {
    const auto listed = bert.get(nodes_path).json();
    for (const auto& each : listed["nodes"])
      if (each["name"] == name)
        return each;
    return {};
  }

  void await_shards(const std::string& name, size_t count) {
    bert.get_until(nodes_path, [&](const http_answer& answer) {
      const auto found = answer.json();
      for (const auto& each : found["nodes"])
        if (each["name"] == name)
          return each["shards"] == count && found["shards_free"] == 0;
      return false;
    });
  }

  http_answer mark(const std::string& name, const std::string& wish) {
    return bert.send({"POST", nodes_path + "/" + name + "/" + wish});
  }
};

void is_problem(const http_answer& answer, int status, const std::string& words) {
  BOOST_TEST(answer.status == status, answer.body);
  const auto detail = answer.json().value("detail", "");
  BOOST_TEST(detail.find(words) != std::string::npos, "'" << words << "' is not in: " << detail);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(api_nodes_dbtest, two_nodes)

BOOST_AUTO_TEST_CASE(nodes_are_listed_with_all_that_is_known_of_them) {
  const auto listed = bert.get(nodes_path);
  BOOST_TEST(listed.status == 200);
  const auto nodes = listed.json()["nodes"];
  BOOST_TEST_REQUIRE(nodes.size() == 2u);
  BOOST_TEST(nodes[0]["name"] == "anna");
  std::set<int> shards;
  for (const auto& each : nodes) {
    BOOST_TEST(each["alive"] == true);
    BOOST_TEST(each["draining"] == false);
    BOOST_TEST(each["address"] == "http://" + each["name"].get<std::string>());
    BOOST_TEST(each["cluster_address"] == "");
    BOOST_TEST(!each["version"].get<std::string>().empty());
    BOOST_TEST(each["schema_version"] == newest_migration());
    BOOST_TEST(each["protocol_min"] == 0);
    BOOST_TEST(each["protocol_max"] == 0);
    BOOST_TEST(each["slots_free"] == dispatcher_options{}.runs_running_max);
    for (const auto* figure :
         {"runs_live", "runs_waiting", "runs_ended_per_second", "append_wait_ms", "workers", "age_ms", "silent_ms"})
      BOOST_TEST(each[figure].is_number(), figure);
    BOOST_TEST(each["shard_numbers"].size() == each["shards"]);
    for (const auto& shard : each["shard_numbers"])
      shards.insert(shard.get<int>());
  }
  BOOST_TEST(shards.size() == size_t{shard_count});
}

BOOST_AUTO_TEST_CASE(live_runs_show_in_the_figures_of_their_node) {
  anna.get_until("/v1/status", [](const http_answer& answer) {
    const auto status = answer.json();
    return status["shards_ready"] == shard_count / 2 && status["ready"] == true;
  });
  anna.register_simulated("bread", {{"time", "1h"}});
  for (int i = 0; i < 3; ++i)
    anna.start({{"workflow", "bread"}});
  bert.get_until(nodes_path, [](const http_answer& answer) {
    const auto node = answer.json()["nodes"][0];
    return node["runs_live"] == 3 && node["slots_free"] == dispatcher_options{}.runs_running_max - 3;
  });
}

BOOST_AUTO_TEST_CASE(a_node_is_drained_and_undrained_by_its_name) {
  const auto marked = mark("anna", "drain");
  BOOST_TEST(marked.status == 200, marked.body);
  BOOST_TEST(marked.json()["name"] == "anna");
  BOOST_TEST(marked.json()["draining"] == true);
  BOOST_TEST(marked.json()["id"] == node("anna")["id"]);
  await_shards("anna", 0);
  BOOST_TEST(node("anna")["draining"] == true);
  BOOST_TEST(node("bert")["shards"] == shard_count);
  BOOST_TEST(mark("anna", "undrain").json()["draining"] == false);
  await_shards("anna", 32);
}

BOOST_AUTO_TEST_CASE(a_name_that_two_nodes_have_is_refused_with_their_ids) {
  gateway_world other(called("anna"), postgres_ports(database.url()), database.url());
  const auto three =
    bert.get_until(nodes_path, [](const http_answer& answer) { return answer.json()["nodes"].size() == 3; });
  const auto nodes = three.json()["nodes"];
  const auto refused = mark("anna", "drain");
  is_problem(refused, 409, "2 living nodes are called 'anna'");
  for (const auto& each : nodes)
    if (each["name"] == "anna")
      is_problem(refused, 409, each["id"].get<std::string>());
  BOOST_TEST(mark(nodes[0]["id"].get<std::string>(), "drain").status == 200);
}

BOOST_AUTO_TEST_CASE(a_node_that_is_not_there_is_refused_with_those_that_are) {
  const auto refused = mark("carl", "drain");
  is_problem(refused, 404, "there is no node 'carl'; living are 'anna' " + node("anna")["id"].get<std::string>());
  BOOST_TEST(refused.json()["field"] == "node");
  is_problem(mark("01a20889-d376-73c6-99a0-9b086b55e402", "undrain"), 404, "there is no node '01a20889");
}

BOOST_AUTO_TEST_CASE(a_dead_node_is_found_by_its_id_alone) {
  postgres_leases leases{{.url = database.url()}};
  node_record dead;
  dead.id.bytes[0] = 9;
  dead.name = "dora";
  leases.join(dead, -1ms);
  BOOST_TEST(node("dora")["alive"] == false);
  is_problem(mark("dora", "drain"), 404, "there is no node 'dora'");
  BOOST_TEST(mark(to_string(dead.id), "drain").status == 200);
  BOOST_TEST(node("dora")["draining"] == true);
}

BOOST_AUTO_TEST_CASE(what_the_path_does_not_say_is_refused) {
  is_problem(bert.post(nodes_path + "/anna/drain", {{"by", "mara"}}), 400, "must be absent or an empty object");
  is_problem(mark("anna", "drain?by=mara"), 400, "by: ");
  is_problem(bert.get(nodes_path + "?limit=3"), 400, "limit: ");
  is_problem(mark(std::string(101, 'n'), "drain"), 400, "at most 100 characters");
  BOOST_TEST(bert.get(nodes_path + "/anna/drain").status == 405);
  BOOST_TEST(node("anna")["draining"] == false);
}

BOOST_AUTO_TEST_SUITE_END()
