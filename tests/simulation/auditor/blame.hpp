#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tests/simulation/auditor/violation.hpp"

namespace levain::simulation {

/// Takes what breaks a rule: the rule, the run it is about (where there is one) and what was seen.
using blame = std::function<void(rule, const std::optional<run_id>&, std::string)>;

} // namespace levain::simulation
