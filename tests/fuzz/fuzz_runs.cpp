#include "tests/fuzz/fuzz_runs.hpp"

#include <set>

#include <nlohmann/json.hpp>

#include "actors/gateway/run_view.hpp"
#include "actors/run_machine/explain.hpp"
#include "actors/run_machine/prepare_call.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

namespace {

constexpr const char* one_step = R"({"workflow": "one_step", "version": 1, "steps": [
  {"name": "a", "call": {"simulate": {}}, "retry": {"max_attempts": 3, "jitter": 0}}]})";

constexpr const char* diamond = R"({"workflow": "diamond", "version": 2,
  "run_retries": {"max": 2, "initial_interval": "1s"},
  "steps": [
    {"name": "a", "audit": "forecasting", "call": {"http": {"url": "http://h/{run.id}/{input.day}"}},
     "compensate": {"http": {"method": "DELETE", "url": "http://h/{results.a.id}"}, "retry": {"max_attempts": 2}},
     "record": {"forecasts_generated": "/count", "forecast_data": ""}},
    {"name": "b", "audit": "production", "needs": ["a"], "call": {"worker": {"kind": "baker"}},
     "compensate": {"function": {"name": "unbake"}}, "effect": "none"},
    {"name": "c", "audit": "production", "after": ["a"], "on_failure": "continue",
     "call": {"function": {"name": "mix"}}, "record": {"fulfillment_rate": "/rate", "forecast_id": "/id"}},
    {"name": "d", "audit": "notification", "needs": ["b"], "after": ["c"],
     "call": {"http": {"url": "${oven_url}/{results.a.id}", "headers": {"X-Rate": "{results.b.rate}"}}}}]})";

constexpr const char* parallel = R"({"workflow": "parallel", "version": 1, "steps": [
  {"name": "a", "call": {"simulate": {}}, "effect": "none", "on_failure": "continue"},
  {"name": "b", "call": {"simulate": {}}, "effect": "none", "compensate": {"simulate": {}}},
  {"name": "c", "call": {"simulate": {}}, "compensate": {"simulate": {}, "retry": {"max_attempts": 1}}},
  {"name": "d", "call": {"simulate": {}}, "retry": {"max_attempts": 1}, "needs": ["a"]},
  {"name": "e", "call": {"simulate": {}}, "after": ["b", "c", "d"], "record": {"cost_accuracy": "/list/1"}}]})";

workflow_ptr parsed(const char* text) {
  auto read = parse_definition(text);
  require(read.workflow != nullptr, "the workflows of the targets are right", text);
  return read.workflow;
}

void require_json(std::string_view what, const std::string& text) {
  require(nlohmann::json::accept(text), std::string(what) + " is JSON", text);
}

void require_call(const run_state& state, const begin_call& call) {
  static const call_variables variables = {{"oven_url", "http://oven:80"}};
  const auto prepared = prepare_call(state, call.step, call.undo, variables);
  if (const auto* failure = std::get_if<call_failure>(&prepared))
    return require_line(failure->message);
  const auto& request = std::get<call_request>(prepared);
  if (std::holds_alternative<simulate_call>(request.call))
    require(request.body.empty(), "a simulated call has no body", request.body);
  else
    require_json("the body of a call", request.body);
  require(request.attempt > 0, "a call that is out has an attempt");
  require(
    request.idempotency_key == idempotency_key(state, call.step, call.undo), "a call's key is that of its step",
    request.idempotency_key);
}

} // namespace

const std::vector<workflow_ptr>& fuzz_workflows() {
  static const std::vector<workflow_ptr> all = {parsed(one_step), parsed(diamond), parsed(parallel)};
  return all;
}

run_plan fuzz_plan(const workflow_definition& workflow) {
  run_plan plan;
  plan.run.value = *uuid::parse("01900000-0000-7000-8000-000000000001");
  plan.run_number = "ORCH-20261123-00000001";
  plan.tenant.value = *uuid::parse("7e000000-0000-4000-8000-000000000001");
  plan.workflow = workflow.name;
  plan.workflow_version = workflow.version;
  plan.input = R"({"day":"monday"})";
  return plan;
}

void require_sound(const run_state& state, timestamp now) {
  if (state.seq == 0)
    return;
  const auto row = audit_of(state);
  require_json("the audit row", audit_row_json(row).dump());
  require_json("the steps", steps_json(state).dump());
  require_json("the progress", progress_json(state).dump());
  require(is_ended(row.status) == (state.phase == run_phase::ended), "the row has ended when the run has");
  const auto why = explain(state, {now, {{"oven_url", "http://oven:80"}}});
  require_line(why.summary);
  for (const auto& wait : why.waits)
    require_line(wait.text);
  std::set<std::string> keys;
  for (const auto& call : calls_out(state)) {
    require(keys.insert(idempotency_key(state, call.step, call.undo)).second, "no two calls that are out share a key");
    require_call(state, call);
  }
  const bool has_due = next_due(state).has_value();
  require(!has_due || state.phase != run_phase::ended, "a run that has ended waits for no time");
}

void require_steady(const run_state& state, timestamp now) {
  if (state.seq == 0)
    return;
  std::vector<run_input> inputs = {slot_granted{},      clock_reached{},           pause_asked{"ann"},
                                   resume_asked{"bob"}, cancel_asked{"cleo", "x"}, retry_asked{"dora"}};
  for (const auto& call : calls_out(state)) {
    inputs.emplace_back(call_answered{call.step, call.attempt, call.undo, std::string("{}")});
    inputs.emplace_back(call_answered{
      call.step, call.attempt, call.undo, call_failure{call_failure::kind_type::retryable, "no", std::nullopt}});
    inputs.emplace_back(call_answered{
      call.step, call.attempt, call.undo, call_failure{call_failure::kind_type::final, "no", std::nullopt}});
  }
  for (const auto& input : inputs) {
    auto decided = decide(state, input, {now, 0.5});
    auto next = state;
    for (auto& fact : decided.events)
      evolve(next, std::move(fact));
    require_sound(next, now);
  }
}

void require_damage(std::string_view message) {
  require_line(message);
  require(message.starts_with("event "), "a broken journal is told by its event", std::string(message));
}

} // namespace levain::test
