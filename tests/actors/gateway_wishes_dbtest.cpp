// What people ask of runs that need them: `terminate`, and `resolve` for the attention list, over HTTP.
#include <boost/test/unit_test.hpp>

#include "tests/actors/gateway_world.hpp"
#include "tests/support/database.hpp"

using namespace levain;
using namespace levain::test;
using nlohmann::json;

namespace {

const json by_anna = {{"by", "anna"}};
const json refunded = {{"by", "anna"}, {"note", "refunded by hand"}};

struct asked_for_wishes {
  asked_for_wishes() {
    world.wait_until_ready();
    world.register_simulated(
      "endless", {{"time", "1h"}}, {{"timeout", "2h"}, {"compensate", {{"simulate", json::object()}}}});
    world.register_simulated("doomed", {{"fail_final_rate", 1.0}});
    world.register_simulated("quick", json::object());
  }

  static node_options alone() {
    node_options options;
    options.sole = true;
    return options;
  }

  std::string start(const std::string& workflow) { return world.start({{"workflow", workflow}})["id"]; }
  std::string run_path(const std::string& id) const { return world.path("/runs/" + id); }
  std::string stranger_path(const std::string& id) const {
    return "/v1/tenants/" + gateway_world::stranger + "/runs/" + id;
  }
  /// The ids of the runs that are listed for a person.
  json listed() {
    const auto page = world.get("/v1/operator/attention").json();
    auto ids = json::array();
    for (const auto& each : page.at("runs"))
      ids.push_back(each.at("id"));
    return ids;
  }
  /// The list reads the table, which follows the journal.
  void wait_until_listed(const json& ids) {
    world.get_until("/v1/operator/attention", [&](const http_answer&) { return listed() == ids; });
  }
  std::string detail_of(const http_answer& refused, int status) {
    BOOST_TEST(refused.status == status, refused.body);
    return refused.json().at("detail");
  }

  fresh_database database;
  gateway_world world{alone(), postgres_ports(database.url()), database.url()};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_wishes_dbtest, asked_for_wishes)

BOOST_AUTO_TEST_CASE(a_run_that_is_terminated_ends_at_once_and_says_what_it_left) {
  const auto id = start("endless");
  const auto run = run_path(id);
  world.get_until(run, [](const http_answer& answer) { return answer.json()["steps"][0]["phase"] == "calling"; });
  BOOST_TEST(world.post(stranger_path(id) + "/terminate", by_anna).status == 404);
  const auto granted = world.post(run + "/terminate", {{"by", "anna"}, {"reason", "the oven burns"}});
  BOOST_TEST(granted.status == 200, granted.body);
  BOOST_TEST(granted.json()["granted"] == "terminate");
  const auto ended = world.wait_for(id, "cancelled");
  const auto& message = ended["error_message"];
  BOOST_TEST(message.get<std::string>().find("the oven burns") != std::string::npos, message);
  // The call was out: whether its work was done is not known, and nothing undoes it.
  BOOST_TEST(ended["attention"].get<std::string>().find("bake") != std::string::npos, ended["attention"]);
  BOOST_TEST(!ended["steps"][0].contains("compensation"), ended["steps"]);
  const auto events = world.get(run + "/events").json()["events"];
  const auto asked = std::find_if(
    events.begin(), events.end(), [](const json& each) { return each.at("kind") == "terminate_requested"; });
  BOOST_TEST_REQUIRE((asked != events.end()), events.dump());
  BOOST_TEST((*asked).at("body") == json({{"by", "anna"}, {"reason", "the oven burns"}}));
  BOOST_TEST(world.get(run + "/explain")
               .json()["summary"]
               .get<std::string>()
               .starts_with("the run was terminated by anna (the oven burns)"));
  const auto refused = detail_of(world.post(run + "/terminate", by_anna), 409);
  BOOST_TEST(refused == "the run was cancelled; only a run that has not ended can be terminated");
  BOOST_TEST(world.post(run + "/terminate", {{"by", "anna"}, {"note", "x"}}).status == 422);
}

BOOST_AUTO_TEST_CASE(what_was_resolved_leaves_the_list_and_is_remembered) {
  const auto id = start("doomed");
  const auto other = start("doomed");
  const auto run = run_path(id);
  world.wait_for(id, "failed");
  world.wait_for(other, "failed");
  wait_until_listed({other, id});
  BOOST_TEST(world.post(stranger_path(id) + "/resolve", refunded).status == 404);
  const auto granted = world.post(run + "/resolve", refunded);
  BOOST_TEST(granted.status == 200, granted.body);
  BOOST_TEST(granted.json()["granted"] == "resolve");
  wait_until_listed(json::array({other}));
  const auto seen = world.get(run).json();
  BOOST_TEST(seen["status"] == "failed");
  BOOST_TEST(seen["attention"].is_null());
  const auto& said = seen["error_details"]["attention_resolved"];
  BOOST_TEST(said["by"] == "anna", seen["error_details"]);
  BOOST_TEST(said["note"] == "refunded by hand", seen["error_details"]);
  const auto last = world.get(run + "/events").json()["events"].back();
  BOOST_TEST(last["kind"] == "attention_resolved");
  BOOST_TEST(detail_of(world.post(run + "/resolve", refunded), 409) == "its attention was resolved already, by anna");
  // A retry begins anew: what fails then is listed again.
  BOOST_TEST(world.post(run + "/retry", by_anna).status == 200);
  world.get_until("/v1/operator/attention", [&](const http_answer&) { return listed().size() == 2; });
}

BOOST_AUTO_TEST_CASE(what_needs_nobody_cannot_be_resolved) {
  const auto done = start("quick");
  world.wait_for(done, "completed");
  BOOST_TEST(
    detail_of(world.post(run_path(done) + "/resolve", refunded), 409) ==
    "the run needs no attention; there is nothing to resolve");
  const auto running = start("endless");
  BOOST_TEST(detail_of(world.post(run_path(running) + "/resolve", refunded), 409)
               .ends_with("; only what a run left behind at its end can be resolved"));
  const auto unsaid = world.post(run_path(done) + "/resolve", by_anna);
  BOOST_TEST(unsaid.status == 422);
  BOOST_TEST(unsaid.json()["field"] == "note");
}

BOOST_AUTO_TEST_SUITE_END()
