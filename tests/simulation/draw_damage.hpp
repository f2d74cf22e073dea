#pragma once

#include "tests/simulation/chance.hpp"
#include "tests/simulation/plan.hpp"

namespace levain::simulation {

/// Adds what people do to the database's tables by hand, in some plans.
void draw_damage(plan& drawn, chance luck);

} // namespace levain::simulation
