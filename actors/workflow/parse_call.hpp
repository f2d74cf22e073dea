#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/workflow/definition.hpp"
#include "actors/workflow/object_reader.hpp"
#include "actors/workflow/step_graph.hpp"

namespace levain {

/// What the templates of a call may refer to.
struct call_scope {
  const std::vector<step_outline>* steps = nullptr;
  /// By step: whether its result is there for certain when the call is made.
  std::vector<bool> visible;
  /// How an error names those steps: `a step that production needs`.
  std::string visible_rule;
  /// See `step_surroundings::stored`.
  bool stored = false;
};

/// Reads the one kind of call that the object has; reports everything wrong with it, and answers nothing then.
std::optional<call_spec> parse_call(object_reader& reader, const call_scope& scope, error_list& errors);

} // namespace levain
