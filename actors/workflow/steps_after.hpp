#pragma once

#include <algorithm>
#include <vector>

#include "actors/workflow/definition.hpp"

namespace levain {

/// For each step: whether it comes after one of those in `of` (by `needs` or `after`), directly or through others.
inline std::vector<bool> steps_after(const workflow_definition& workflow, const std::vector<bool>& of) {
  std::vector<bool> found(workflow.steps.size(), false);
  const auto is_there = [&](step_index i) { return of[i] || found[i]; };
  for (bool moved = true; moved;) {
    moved = false;
    for (step_index i = 0; i < found.size(); ++i) {
      const auto& step = workflow.steps[i];
      if (
        found[i] || (std::none_of(step.needs.begin(), step.needs.end(), is_there) &&
                     std::none_of(step.after.begin(), step.after.end(), is_there)))
        continue;
      found[i] = true;
      moved = true;
    }
  }
  return found;
}

} // namespace levain
