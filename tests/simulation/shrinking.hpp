#pragma once

#include <cstddef>
#include <functional>

#include "tests/simulation/auditor/violation.hpp"
#include "tests/simulation/plan.hpp"

namespace levain::simulation {

/// What shrinking came to.
struct shrunk_plan {
  plan smallest;
  /// Worlds that were tried on the way.
  size_t tried = 0;
};

/// The smallest plan that can be found from `from` for which `breaks` still holds; requires that it does for `from`.
/// Leaves items out (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002), then steps of
/// workflows and what they say, then makes values smaller. Tries at most `tries_max` worlds.
shrunk_plan shrink(const plan& from, const std::function<bool(const plan&)>& breaks, size_t tries_max = 3'000);

/// Whether the first rule that is broken in the world of a plan is this one.
bool breaks_rule(const plan& x, rule broken);

} // namespace levain::simulation
