#include "actors/run_budget.hpp"

#include <algorithm>

namespace levain {

namespace {

/// A run that came to much counts for the next; by each that comes to less, so much of it is forgotten.
constexpr uint64_t forgotten_divisor = 64;
/// Of an answer whose event is not on disk: in the event, in what the writer has, and in what may be judged again.
constexpr uint64_t copies_on_the_way = 3;
/// Workflows beyond this many are learned anew.
constexpr size_t workflows_known_max = 10'000;

} // namespace

uint64_t run_budget::expected(const workflow_definition& workflow, uint64_t plan_bytes) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = growths_.find({workflow.name, workflow.version}); known != growths_.end())
      return plan_bytes + known->second;
  }
  // The writer has the input as well until it is on disk, and of each answer there are copies until then.
  auto growth = plan_bytes;
  uint64_t largest = 0;
  for (const auto& step : workflow.steps) {
    const auto* simulated = std::get_if<simulate_call>(&step.call);
    const uint64_t answer = simulated != nullptr ? simulated->output.size() : plan_bytes;
    growth += answer;
    largest = std::max(largest, answer);
  }
  return plan_bytes + growth + copies_on_the_way * largest;
}

void run_budget::learn(const workflow_definition& workflow, uint64_t growth) {
  const std::lock_guard lock(mutex_);
  if (growths_.size() >= workflows_known_max)
    growths_.clear();
  auto& known = growths_[{workflow.name, workflow.version}];
  known = std::max(growth, known - known / forgotten_divisor);
}

} // namespace levain
