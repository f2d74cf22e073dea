#include "actors/wanting_calls.hpp"

#include <algorithm>

#include "actors/workflow/stored_definition.hpp"

namespace levain {

void wanting_calls::add(const std::string& what) {
  const std::lock_guard lock(mutex_);
  ++counts_[what];
}

void wanting_calls::remove(const std::string& what) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(what);
  if (found != counts_.end() && --found->second == 0)
    counts_.erase(found);
}

std::map<std::string, size_t> wanting_calls::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::vector<std::string>
wanting_for(const definition_record& definition, const call_variables& variables, bool has_gate) {
  const auto read = read_stored_definition(definition.body);
  return read.workflow ? wanting_for(*read.workflow, variables, has_gate) : std::vector<std::string>();
}

std::vector<std::string>
wanting_for(const workflow_definition& workflow, const call_variables& variables, bool has_gate) {
  std::vector<std::string> all;
  const auto add = [&](std::string what) {
    if (std::ranges::find(all, what) == all.end())
      all.push_back(std::move(what));
  };
  for (const auto& each : missing_variables(workflow, variables))
    add("variable " + each.first);
  const auto for_workers = [](const step_definition& step) {
    return std::holds_alternative<worker_call>(step.call) ||
           (step.compensate && std::holds_alternative<worker_call>(step.compensate->call));
  };
  if (!has_gate && std::ranges::any_of(workflow.steps, for_workers))
    add("gate for workers");
  return all;
}

} // namespace levain
