#pragma once

#include <string>
#include <vector>

#include "apps/load/load_result.hpp"
#include "apps/terminal/screen.hpp"

namespace levain::load {

/// A result for people: latencies, rates, what it cost, how it went over time, the groups, and the proof.
std::string
load_text(const load_result& result, const std::vector<std::string>& complaints, const terminal::screen& out);

} // namespace levain::load
