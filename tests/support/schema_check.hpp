#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace levain {

/// What of `value` a JSON Schema refuses: the place of the first fault and its keyword, `/steps/0/timeout pattern`.
/// Empty when the schema takes it. Knows the keywords that our published schemas use, of draft 2020-12; throws
/// `std::logic_error` for any other, so that none is skipped unseen.
std::string schema_fault(const nlohmann::json& schema, const nlohmann::json& value);

} // namespace levain
