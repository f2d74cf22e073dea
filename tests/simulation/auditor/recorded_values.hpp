#pragma once

#include <nlohmann/json.hpp>

#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// Whether every value that the step's columns take is in the output and fits its column, as the reference of the audit
/// table has it.
bool fits_columns(const step_known& step, const nlohmann::json& output);

/// Fills the columns of a row that the step's output gives values for.
void fill_columns(audit_row& row, const step_known& step, const nlohmann::json& output);

} // namespace levain::simulation
