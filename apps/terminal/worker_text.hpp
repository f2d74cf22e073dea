#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/terminal/paint.hpp"

namespace levain::terminal {

/// A table of workers, one a line. `workers` is a list as `/v1/operator/workers` has it.
std::string workers_text(const nlohmann::ordered_json& workers, const paint& look);

} // namespace levain::terminal
