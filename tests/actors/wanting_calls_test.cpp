// What a node lacks for a call is no outcome of the call: the run waits, and says for what.
#include <boost/test/unit_test.hpp>

#include "actors/wanting_calls.hpp"
#include "tests/actors/scripted_runs.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

call_spec shop() {
  return http_call{.method = "POST", .url = "${shop_url}/charges"};
}

workflow_ptr charging() {
  return workflow_builder("shop")
    .step("one")
    .call(scripted())
    .compensate({.call = shop()})
    .step("charge")
    .call(shop())
    .needs({"one"})
    .step("ship")
    .call(scripted())
    .needs({"charge"})
    .build();
}

wait_reason wait_of(actor_world& world, const run_id& run, const std::string& kind) {
  for (const auto& each : world.explain_run(run).waits)
    if (each.kind == kind)
      return each;
  BOOST_FAIL("the run does not wait for " << kind);
  return {};
}

/// A node with the variable on the same database.
void boot_with_variable(actor_world& world) {
  world.crash();
  world.variables = {{"shop_url", "http://shop"}};
  world.boot();
}

} // namespace

BOOST_AUTO_TEST_SUITE(wanting_calls_test)

BOOST_AUTO_TEST_CASE(a_step_without_its_variable_waits_until_a_node_has_it) {
  actor_world world;
  auto start = world.start(charging());
  world.settle();
  const auto run = start->run().run;
  world.calls->answer("one", "{}");
  world.advance(24h);
  const auto wait = wait_of(world, run, "variable");
  BOOST_TEST(wait.step == "charge");
  BOOST_TEST(has(wait.text, "waits for variable shop_url on node world"), wait.text);
  BOOST_TEST((world.wanting->counts() == std::map<std::string, size_t>{{"variable shop_url", 1}}));
  BOOST_TEST((world.row(run).status == run_status::running));

  boot_with_variable(world);
  BOOST_TEST(world.calls->waits("charge"));
  BOOST_TEST(world.calls->calls().back().request.attempt == 1u);
  BOOST_TEST(world.wanting->counts().empty());
}

BOOST_AUTO_TEST_CASE(a_compensation_without_its_variable_waits_too) {
  actor_world world;
  world.crash();
  world.variables = {{"shop_url", "http://shop"}};
  world.boot();
  auto start = world.start(charging());
  world.settle();
  const auto run = start->run().run;
  world.calls->answer("one", "{}");
  world.settle();
  world.calls->answer("charge", failure(call_failure::kind_type::final));
  world.settle();
  BOOST_TEST(world.calls->waits("one", true));
  world.crash();
  world.variables.clear();
  world.boot();
  world.advance(24h);
  BOOST_TEST(wait_of(world, run, "variable").step == "one");
  boot_with_variable(world);
  BOOST_TEST_REQUIRE(world.calls->waits("one", true));
  world.calls->answer("one", "{}", true);
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::failed));
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_a_variable_does_not_hold_up_a_cancel) {
  actor_world world;
  auto start = world.start(workflow_builder("shop").step("charge").call(shop()).build());
  world.settle();
  const auto run = start->run().run;
  auto cancelled = world.ask(run, cancel_asked{"mara", ""});
  world.settle();
  BOOST_TEST_REQUIRE(cancelled->has_value());
  BOOST_TEST((world.row(run).status == run_status::cancelled));
  BOOST_TEST(world.wanting->counts().empty());
  BOOST_TEST(world.calls->calls().empty());
}

BOOST_AUTO_TEST_CASE(a_definition_says_what_a_node_lacks_for_it) {
  const definition_record record{
    "shop",
    1,
    {},
    R"({"workflow": "shop", "version": 1, "steps": [
      {"name": "a", "call": {"http": {"method": "POST", "url": "${shop_url}/a"}},
       "compensate": {"http": {"method": "DELETE", "url": "${shop_url}/${realm}"}}},
      {"name": "b", "call": {"worker": {"kind": "bake"}}}]})"};
  using names = std::vector<std::string>;
  BOOST_TEST((wanting_for(record, {}, false) == names{"variable shop_url", "variable realm", "gate for workers"}));
  BOOST_TEST((wanting_for(record, {{"shop_url", "x"}}, true) == names{"variable realm"}));
  BOOST_TEST(wanting_for({"odd", 1, {}, "{}"}, {}, false).empty());
}

BOOST_AUTO_TEST_CASE(a_run_leaves_at_once_for_a_node_that_may_have_the_variable) {
  actor_world world;
  auto start = world.start(workflow_builder("shop").step("charge").call(shop()).build());
  world.settle();
  boot_with_variable(world);
  BOOST_TEST(world.calls->waits("charge"));
}

BOOST_AUTO_TEST_SUITE_END()
