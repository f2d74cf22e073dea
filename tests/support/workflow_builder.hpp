#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "actors/workflow/definition.hpp"

namespace levain::test {

/// Builds a workflow for a test, step by step; what is not said has the defaults of a definition. Calls are simulated.
class workflow_builder {
public:
  explicit workflow_builder(std::string name = "test_flow") {
    definition_.name = std::move(name);
    definition_.version = 1;
  }

  /// Adds a step; the members that follow are about it.
  workflow_builder& step(std::string name) {
    step_definition step;
    step.name = std::move(name);
    step.call = simulate_call{};
    step.retry = {.max_attempts = 1, .jitter = 0};
    definition_.steps.push_back(std::move(step));
    return *this;
  }
  workflow_builder& needs(const std::vector<std::string>& names) {
    for (const auto& name : names)
      last().needs.push_back(index_of(name));
    return *this;
  }
  workflow_builder& after(const std::vector<std::string>& names) {
    for (const auto& name : names)
      last().after.push_back(index_of(name));
    return *this;
  }
  workflow_builder& call(call_spec spec) {
    last().call = std::move(spec);
    return *this;
  }
  workflow_builder& timeout(duration span) {
    last().timeout = span;
    return *this;
  }
  workflow_builder& retry(retry_policy policy) {
    last().retry = policy;
    return *this;
  }
  /// Tries in all, without jitter, 1 s, 2 s, 4 s ... apart.
  workflow_builder& attempts(uint32_t max_attempts) {
    return retry({.max_attempts = max_attempts, .initial_interval = std::chrono::seconds(1), .jitter = 0});
  }
  workflow_builder& proceeds() {
    last().on_failure = failure_policy::proceed;
    return *this;
  }
  workflow_builder& effect_none() {
    last().effect = call_effect::none;
    return *this;
  }
  workflow_builder& compensated(uint32_t max_attempts = 2) {
    last().compensate = compensation_spec{
      .call = simulate_call{},
      .retry = {.max_attempts = max_attempts, .initial_interval = std::chrono::seconds(1), .jitter = 0}};
    return *this;
  }
  workflow_builder& compensate(compensation_spec spec) {
    last().compensate = std::move(spec);
    return *this;
  }
  /// Undone also when its outcome is unknown.
  workflow_builder& undone_in_doubt() {
    last().compensate_when = compensation_condition::attempted;
    return *this;
  }
  workflow_builder& queue_timeout(duration span) {
    last().queue_timeout = span;
    return *this;
  }
  workflow_builder& audit(audit_group group) {
    last().audit = group;
    return *this;
  }
  workflow_builder& record(std::string column, std::string pointer) {
    last().record.push_back({std::move(column), std::move(pointer)});
    return *this;
  }
  workflow_builder& run_retries(uint32_t max) {
    definition_.run_retries.max = max;
    return *this;
  }
  workflow_ptr build() const { return std::make_shared<const workflow_definition>(definition_); }

private:
  step_definition& last() { return definition_.steps.back(); }
  step_index index_of(const std::string& name) const {
    for (step_index i = 0; i < definition_.steps.size(); ++i)
      if (definition_.steps[i].name == name)
        return i;
    throw std::invalid_argument("the workflow has no step " + name);
  }

  workflow_definition definition_;
};

} // namespace levain::test
