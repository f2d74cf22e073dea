#pragma once

#include <optional>
#include <string>

#include "tests/simulation/auditor/run_story.hpp"

namespace levain::simulation {

/// The audit row that a story asks for. Texts for people are marked as present, not written.
audit_row expected_row(const run_story& story);

/// The first column in which a row is not as expected, with both values; nothing when it is. Of texts for people only
/// their presence counts.
std::optional<std::string> first_difference(const audit_row& expected, const audit_row& found);

} // namespace levain::simulation
