#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "actors/run_machine/state.hpp"

namespace levain {

/// The steps whose work may have been done although no answer says so, as the member `unknown_outcomes` of
/// `error_details` has them: step, idempotency key, attempt, why, and the columns of the audit row whose values are
/// unknown for that reason. Empty where there are none. A step whose effect was undone is not among them.
nlohmann::json unknown_outcomes_of(const run_state& state);

/// The same as one sentence each, for the attention of a person; empty while the run has not ended.
std::vector<std::string> unknown_outcome_complaints(const run_state& state);

} // namespace levain
