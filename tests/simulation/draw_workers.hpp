#pragma once

#include "tests/simulation/chance.hpp"
#include "tests/simulation/plan.hpp"

namespace levain::simulation {

/// Gives a world workers, or leaves it without: then the plan stays as it is. Steps of its workflows become calls of
/// theirs, and what goes wrong with workers is added.
void draw_workers(plan& drawn, chance luck);

} // namespace levain::simulation
