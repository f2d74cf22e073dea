#pragma once

#include "tests/simulation/chance.hpp"
#include "tests/simulation/plan.hpp"

namespace levain::simulation {

/// Adds to a plan what happens at the edges: runs that are terminated and attention that is resolved, nodes without
/// what calls need, inputs that nobody survives, answers that are cut, commits that are taken for lost, clocks that are
/// set forwards and back. By chances of their own: the rest of the plan is as it was.
void draw_edges(plan& drawn, chance luck);

} // namespace levain::simulation
