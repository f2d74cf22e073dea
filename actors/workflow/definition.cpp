#include "actors/workflow/definition.hpp"

#include <algorithm>

namespace levain {

std::optional<step_index> workflow_definition::find_step(std::string_view step_name) const {
  const auto found = std::ranges::find(steps, step_name, &step_definition::name);
  if (found == steps.end())
    return std::nullopt;
  return static_cast<step_index>(found - steps.begin());
}

} // namespace levain
