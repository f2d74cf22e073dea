#include "actors/worker/call_checks.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>

#include "actors/cluster/wire_limits.hpp"
#include "actors/worker/worker_limits.hpp"

using namespace levain;

namespace {

call_given sound_call() {
  return {
    .number = 1,
    .epoch = 3,
    .run_number = "ORCH-20261123-00000001",
    .step = "bake",
    .kind = "bake",
    .attempt = 1,
    .key = "run/bake",
    .time_left = 1000,
    .body = R"({"run":{"id":"x"},"input":{"loaves":2},"results":{}})"};
}

std::string nested(size_t depth) {
  return R"({"run":{},"results":{},"input":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

std::string complaint(const call_given& call) {
  const auto checked = check_call(call);
  const auto* wrong = std::get_if<nonsense>(&checked);
  return wrong ? wrong->reason : "";
}

} // namespace

BOOST_AUTO_TEST_SUITE(call_checks_test)

BOOST_AUTO_TEST_CASE(a_sound_call_is_taken_with_its_body_read) {
  const auto checked = check_call(sound_call());
  const auto* call = std::get_if<arrived_call>(&checked);
  BOOST_TEST_REQUIRE(call);
  BOOST_TEST(call->body->at("input").at("loaves") == 2);
  BOOST_TEST(call->given.body.empty());
  BOOST_TEST(call->given.key == "run/bake");
}

BOOST_AUTO_TEST_CASE(every_member_out_of_range_is_named) {
  struct damage {
    std::function<void(call_given&)> done;
    std::string said;
  };
  const std::vector<damage> all{
    {[](call_given& x) { x.kind = ""; }, "the call's kind has 0 bytes, not 1 to 100"},
    {[](call_given& x) { x.kind.assign(101, 'k'); }, "the call's kind has 101 bytes"},
    {[](call_given& x) { x.key = ""; }, "the call's key has 0 bytes"},
    {[](call_given& x) { x.key.assign(wire_key_bytes_max + 1, 'k'); }, "the call's key has 201 bytes"},
    {[](call_given& x) { x.step = ""; }, "the call's step has 0 bytes"},
    {[](call_given& x) { x.run_number = ""; }, "the call's run number has 0 bytes"},
    {[](call_given& x) { x.attempt = 0; }, "the call's attempt is 0, not 1 to"},
    {[](call_given& x) { x.epoch = -1; }, "the call's epoch is -1"},
    {[](call_given& x) { x.time_left = 0; }, "the call's time left is 0"},
    {[](call_given& x) { x.time_left = INT64_MAX; }, "the call's time left is 9223372036854775807"},
    {[](call_given& x) { x.heartbeat = -5; }, "the call's heartbeat is -5"},
    {[](call_given& x) { x.body = ""; }, "the call's body has 0 bytes"},
    {[](call_given& x) { x.body = "{\"run\":"; }, "the call's body is not JSON"},
    {[](call_given& x) { x.body = "[]"; }, "the call's body is no object with 'run'"},
    {[](call_given& x) { x.body = R"({"run":{},"input":1})"; }, "the call's body is no object with 'results'"},
    {[](call_given& x) { x.body = R"({"run":1,"input":1,"results":{}})"; }, "that is no object"},
    {[](call_given& x) { x.body = nested(call_body_depth_max + 2); }, "nested deeper than 80 levels"},
    {[](call_given& x) { x.body = nested(1'000'000); }, "nested deeper than 80 levels"},
  };
  for (const auto& [done, said] : all) {
    auto call = sound_call();
    done(call);
    BOOST_TEST(complaint(call).find(said) != std::string::npos, said << " <> " << complaint(call));
  }
}

BOOST_AUTO_TEST_CASE(a_body_as_deep_as_allowed_is_taken) {
  auto call = sound_call();
  call.body = nested(call_body_depth_max);
  BOOST_TEST(complaint(call) == "");
}

BOOST_AUTO_TEST_CASE(gates_are_addresses_and_not_too_many) {
  const auto good = check_gates({"127.0.0.1:7500", "[::1]:7501"});
  BOOST_TEST(std::get<std::vector<wire_address>>(good).size() == 2U);
  const auto bad = check_gates({"127.0.0.1:7500", "nowhere\n"});
  BOOST_TEST(std::get<nonsense>(bad).reason == "a gate is listed as 'nowhere', which is no HOST:PORT");
  const auto many = check_gates(std::vector<std::string>(gates_known_max + 1, "127.0.0.1:1"));
  BOOST_TEST(std::get<nonsense>(many).reason == "1001 gates are listed, more than 1000");
}

BOOST_AUTO_TEST_SUITE_END()
