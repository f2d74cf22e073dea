#pragma once

#include <optional>
#include <string_view>

#include "actors/run_machine/state.hpp"

namespace levain {

/// The reverse of `to_string(call_failure::kind_type)`.
std::optional<call_failure::kind_type> parse_failure_kind(std::string_view text);

} // namespace levain
