#pragma once

#include "tests/simulation/plan.hpp"

namespace levain::simulation {

/// The plan of a seed: always the same one. Each seed leaves out some kinds of trouble, so that no kind hides another.
plan draw_plan(uint64_t seed);

} // namespace levain::simulation
