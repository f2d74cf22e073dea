#include "actors/run_budget.hpp"

#include <algorithm>

namespace levain {

namespace {

/// A run that came to much counts for the next; by each that comes to less, so much of it is forgotten.
constexpr uint64_t forgotten_divisor = 64;
/// Workflows beyond this many are learned anew.
constexpr size_t workflows_known_max = 10'000;

} // namespace

uint64_t run_budget::expected(const workflow_definition& workflow, uint64_t plan_bytes) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = growths_.find({workflow.name, workflow.version}); known != growths_.end())
      return plan_bytes + known->second;
  }
  // The writer has the input as well until it is on disk.
  auto growth = plan_bytes;
  for (const auto& step : workflow.steps) {
    const auto* simulated = std::get_if<simulate_call>(&step.call);
    growth += simulated != nullptr ? simulated->output.size() : plan_bytes;
  }
  return plan_bytes + growth;
}

void run_budget::learn(const workflow_definition& workflow, uint64_t growth) {
  const std::lock_guard lock(mutex_);
  if (growths_.size() >= workflows_known_max)
    growths_.clear();
  auto& known = growths_[{workflow.name, workflow.version}];
  known = std::max(growth, known - known / forgotten_divisor);
}

} // namespace levain
