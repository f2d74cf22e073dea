#pragma once

#include <string>
#include <vector>

#include "actors/workflow/definition.hpp"

namespace levain {

/// A step as its neighbours see it, before anything else about it is known.
struct step_outline {
  /// Empty when the definition gives none that can be used.
  std::string name;
  std::vector<step_index> needs;
  std::vector<step_index> after;
};

/// For each step, which steps must have succeeded before it is called: what it needs, what those need, and so on. Bears
/// cycles.
std::vector<std::vector<bool>> transitive_needs(const std::vector<step_outline>& steps);

/// One sentence for each knot of steps that wait for each other: `a needs b needs a`, `a after b needs a`. A step that
/// names itself is not among them.
std::vector<std::string> describe_cycles(const std::vector<step_outline>& steps);

} // namespace levain
