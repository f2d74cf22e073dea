#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/workflow/definition.hpp"
#include "actors/workflow/object_reader.hpp"
#include "actors/workflow/step_graph.hpp"

namespace levain {

/// What a step's parser knows about the other steps.
struct step_surroundings {
  std::vector<step_outline> steps;
  /// By step: `transitive_needs`.
  std::vector<std::vector<bool>> needs;
  /// By recorded column: the place of the `record` that was first to fill it.
  std::map<std::string, std::string> recorded;
  /// The definition was registered before: rules that came later are left to the moment of the call.
  bool stored = false;
};

/// What can be told of all steps before any is read in full; reports nothing.
step_surroundings survey_steps(const nlohmann::json& steps);

/// Reads the step at `steps[index]`; reports everything wrong with it.
step_definition
parse_step(const nlohmann::json& value, step_index index, step_surroundings& surroundings, error_list& errors);

} // namespace levain
