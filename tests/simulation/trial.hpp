#pragma once

#include <string>
#include <vector>

#include "tests/simulation/auditor/violation.hpp"
#include "tests/simulation/coverage.hpp"
#include "tests/simulation/plan.hpp"

namespace levain::simulation {

/// What came of one world.
struct verdict {
  /// In the order in which they were found; empty when every rule was kept.
  std::vector<violation> violations;
  /// Of everything that was seen, and of every choice that was made.
  uint64_t trace_hash = 0;
  coverage seen;
  uint64_t messages = 0;
  duration lasted{};
  /// What was seen, one line each; only when asked for.
  std::vector<std::string> lines;
};

/// How much of a world is told.
enum class telling : uint8_t {
  verdict_only,
  lines,
  /// What the engine logs as well.
  lines_and_logs,
};

/// Lets one world happen before the auditor. One at a time in a process.
verdict try_plan(const plan& x, telling how = telling::verdict_only);

} // namespace levain::simulation
