#pragma once

#include <string>
#include <vector>

#include "actors/finding.hpp"
#include "apps/terminal/screen.hpp"

namespace levain {

/// The page: what is wrong first, with what would be right and what to do, then everything else in its order.
std::string doctor_text(const std::vector<finding>& findings, const terminal::screen& out);

} // namespace levain
