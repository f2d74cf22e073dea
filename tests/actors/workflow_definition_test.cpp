// What a correct definition becomes.
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sstream>
#include <string>

#include "actors/workflow/parse_definition.hpp"
#include "actors/workflow/stored_definition.hpp"
#include "persistence/sha256.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

workflow_ptr parse_well(std::string_view text) {
  auto parsed = parse_definition(text);
  for (const auto& error : parsed.errors)
    BOOST_ERROR(to_string(error));
  BOOST_REQUIRE(parsed.workflow);
  return parsed.workflow;
}

/// A workflow of one step with this text between its braces.
workflow_ptr parse_step_with(const std::string& members) {
  return parse_well(R"({"workflow": "w", "version": 1, "steps": [{"name": "a", )" + members + "}]}");
}

constexpr std::string_view smallest =
  R"({"workflow": "w", "version": 1, "steps": [{"name": "a", "call": {"worker": {"kind": "k"}}}]})";

constexpr std::string_view bakery = R"({
  "workflow": "daily_bakery", "version": 7,
  "run_retries": {"max": 3, "initial_interval": "2m", "backoff": 1.5, "max_interval": "30m"},
  "steps": [
    {"name": "forecasting", "audit": "forecasting",
     "call": {"http": {"url": "${forecasting_url}/forecasts", "headers": {"X-Tenant": "{run.tenant}"}}},
     "timeout": "10s",
     "retry": {"max_attempts": 5, "initial_interval": "100ms", "backoff": 3, "max_interval": "10s", "jitter": 0.5},
     "record": {"forecasts_generated": "/count", "forecast_data": ""}},
    {"name": "production", "audit": "production", "needs": ["forecasting"],
     "call": {"http": {"method": "PUT", "url": "http://localhost:8080/{results.forecasting.id}"}},
     "compensate": {"http": {"method": "DELETE", "url": "${production_url}/{results.production.id}"},
                    "timeout": "5s", "retry": {"max_attempts": 2}}},
    {"name": "notify", "audit": "notifications", "after": ["production"], "on_failure": "continue", "effect": "none",
     "call": {"function": {"name": "bakery.notify"}}},
    {"name": "insights", "audit": "ai_insights", "needs": ["production"], "after": ["notify"],
     "call": {"worker": {"kind": "insights-v2"}}}
  ]})";

} // namespace

BOOST_AUTO_TEST_SUITE(workflow_definition_test)

BOOST_AUTO_TEST_CASE(what_is_left_out_has_the_documented_default) {
  const auto workflow = parse_well(smallest);
  step_definition expected;
  expected.name = "a";
  expected.call = worker_call{"k"};
  BOOST_TEST((workflow->steps == std::vector{expected}));
  BOOST_TEST((workflow->run_retries == run_retry_policy{}));
  BOOST_TEST(workflow->name == "w");
  BOOST_TEST(workflow->version == 1);
}

BOOST_AUTO_TEST_CASE(every_member_of_a_run_retry_policy_is_read) {
  const run_retry_policy expected{3, 2min, 1.5, 30min};
  BOOST_TEST((parse_well(bakery)->run_retries == expected));
}

BOOST_AUTO_TEST_CASE(every_member_of_an_http_step_is_read) {
  const auto workflow = parse_well(bakery);
  step_definition expected;
  expected.name = "forecasting";
  expected.audit = audit_group::forecasting;
  expected.call = http_call{"POST", "${forecasting_url}/forecasts", {{"X-Tenant", "{run.tenant}"}}};
  expected.timeout = 10s;
  expected.retry = {5, 100ms, 3, 10s, 0.5};
  expected.record = {{"forecast_data", ""}, {"forecasts_generated", "/count"}};
  BOOST_TEST((workflow->steps[0] == expected));
}

BOOST_AUTO_TEST_CASE(a_compensation_may_refer_to_its_own_step) {
  const auto workflow = parse_well(bakery);
  const auto& production = workflow->steps[1];
  const compensation_spec expected{http_call{"DELETE", "${production_url}/{results.production.id}", {}}, 5s, {2}};
  BOOST_TEST((production.compensate == expected));
  BOOST_TEST((production.needs == std::vector<step_index>{0}));
}

BOOST_AUTO_TEST_CASE(a_compensation_is_tried_ten_times_unless_told_otherwise) {
  const auto workflow = parse_step_with(R"("call": {"simulate": {}}, "compensate": {"worker": {"kind": "undo"}})");
  BOOST_TEST(workflow->steps[0].compensate->retry.max_attempts == 10u);
}

BOOST_AUTO_TEST_CASE(the_limits_of_the_queue_are_read_and_there_is_none_by_default) {
  const auto workflow = parse_step_with(
    R"("call": {"worker": {"kind": "k"}}, "timeout": "1m", "queue_timeout": "2h",
       "compensate": {"worker": {"kind": "u"}, "timeout": "3s", "queue_timeout": "4ms"})");
  const auto& step = workflow->steps[0];
  BOOST_TEST((step.queue_timeout == 2h));
  BOOST_TEST((step.timeout == 1min));
  BOOST_TEST((step.compensate->queue_timeout == 4ms));
  BOOST_TEST((step.compensate->timeout == 3s));
  const auto without = parse_step_with(R"("call": {"simulate": {}}, "compensate": {"simulate": {}})");
  BOOST_TEST(!without->steps[0].queue_timeout.has_value());
  BOOST_TEST(!without->steps[0].compensate->queue_timeout.has_value());
  for (const auto* longest : {"1ms", "7d"})
    BOOST_TEST(parse_step_with(R"("call": {"simulate": {}}, "queue_timeout": ")" + std::string(longest) + '"')
                 ->steps[0]
                 .queue_timeout.has_value());
}

BOOST_AUTO_TEST_CASE(a_step_is_undone_when_it_succeeded_unless_told_otherwise) {
  const auto when = [](const std::string& members) {
    return parse_step_with(R"("call": {"simulate": {}}, "compensate": {"simulate": {}})" + members)
      ->steps[0]
      .compensate_when;
  };
  BOOST_TEST((when("") == compensation_condition::succeeded));
  BOOST_TEST((when(R"(, "compensate_when": "succeeded")") == compensation_condition::succeeded));
  BOOST_TEST((when(R"(, "compensate_when": "attempted")") == compensation_condition::attempted));
}

BOOST_AUTO_TEST_CASE(the_policies_of_a_step_are_read) {
  const auto workflow = parse_well(bakery);
  const auto& notify = workflow->steps[2];
  BOOST_TEST((notify.on_failure == failure_policy::proceed));
  BOOST_TEST((notify.effect == call_effect::none));
  BOOST_TEST((notify.after == std::vector<step_index>{1}));
  BOOST_TEST((notify.call == call_spec(function_call{"bakery.notify"})));
  BOOST_TEST((workflow->steps[3].call == call_spec(worker_call{"insights-v2"})));
}

BOOST_AUTO_TEST_CASE(notifications_is_another_word_for_notification) {
  BOOST_TEST((parse_well(bakery)->steps[2].audit == audit_group::notification));
  const auto workflow = parse_step_with(R"("audit": "notification", "call": {"simulate": {}})");
  BOOST_TEST((workflow->steps[0].audit == audit_group::notification));
}

BOOST_AUTO_TEST_CASE(every_member_of_a_simulated_call_is_read) {
  const auto workflow = parse_step_with(
    R"("call": {"simulate": {"distribution": "uniform", "time": "20ms", "time_max": "40ms", "fail_rate": 0.1,
       "fail_final_rate": 0.02, "fail_first": 2, "output": {"b": 1, "a": [null]}, "seed": 18446744073709551615}})");
  const simulate_call expected{
    simulate_call::distribution_type::uniform, 20ms, 40ms, 0.5, 0.1, 0.02, 2, R"({"a":[null],"b":1})", UINT64_MAX};
  BOOST_TEST((workflow->steps[0].call == call_spec(expected)));
}

BOOST_AUTO_TEST_CASE(a_step_is_found_by_its_name) {
  const auto workflow = parse_well(bakery);
  BOOST_TEST(workflow->find_step("insights").value() == 3u);
  BOOST_TEST(!workflow->find_step("baking").has_value());
}

BOOST_AUTO_TEST_CASE(the_longest_wait_rises_with_the_first_one) {
  const auto workflow = parse_step_with(R"("call": {"simulate": {}}, "retry": {"initial_interval": "5m"})");
  BOOST_TEST((workflow->steps[0].retry.max_interval == duration(5min)));
}

BOOST_AUTO_TEST_CASE(a_template_may_refer_to_what_a_need_needs) {
  parse_well(
    R"({"workflow": "w", "version": 1, "steps": [
      {"name": "c", "needs": ["b"], "call": {"http": {"url": "http://h/{results.a.id}"}}},
      {"name": "b", "needs": ["a"], "call": {"simulate": {}}},
      {"name": "a", "call": {"simulate": {}}}]})");
}

BOOST_AUTO_TEST_CASE(order_blanks_and_ways_to_write_a_number_leave_the_hash_alone) {
  const auto one = parse_well(smallest);
  const auto other = parse_well(
    R"({ "version" : 1.0, "steps":[{"call":{"worker":{"kind":"\u006b"}},"name":"a"}],
         "workflow":"w" })");
  BOOST_TEST(one->body == R"({"steps":[{"call":{"worker":{"kind":"k"}},"name":"a"}],"version":1,"workflow":"w"})");
  BOOST_TEST(one->body == other->body);
  BOOST_TEST(one->content_hash == other->content_hash);
  BOOST_TEST(one->content_hash == sha256_hex(one->body));
  BOOST_TEST(one->content_hash.size() == 64u);
}

BOOST_AUTO_TEST_CASE(another_content_has_another_hash) {
  BOOST_TEST(parse_well(smallest)->content_hash != parse_well(bakery)->content_hash);
}

BOOST_AUTO_TEST_CASE(the_body_reads_as_the_same_workflow) {
  const auto one = parse_well(bakery);
  const auto again = parse_well(one->body);
  BOOST_TEST((again->steps == one->steps));
  BOOST_TEST(again->content_hash == one->content_hash);
}

BOOST_AUTO_TEST_CASE(a_definition_that_was_registered_is_read_without_rules_that_came_later) {
  const std::string text =
    R"({"workflow": "w", "version": 1, "steps": [{"name": "a", "call": {"http": {"url": "http://{input.host}/x"}}}]})";
  BOOST_TEST(!parse_definition(text).workflow);
  BOOST_TEST(read_stored_definition(text).workflow != nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
