#pragma once

#include <string>
#include <vector>

#include "tests/simulation/chance.hpp"

namespace levain::simulation {

/// A definition out of chance: a graph of one to six steps with all that a definition can say.
struct drawn_workflow {
  std::string name;
  int32_t version = 1;
  /// JSON without blanks.
  std::string body;
  std::vector<std::string> steps;
};

drawn_workflow draw_workflow(chance& luck, const std::string& name, int32_t version);

} // namespace levain::simulation
