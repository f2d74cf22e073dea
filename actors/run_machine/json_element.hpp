#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace levain {

/// The element of a list that a name of digits stands for, as in a JSON pointer (RFC 6901): from 0, without leading
/// zeros. Null when `list` is no list or has no such element.
const nlohmann::json* element_of(const nlohmann::json& list, std::string_view name);

} // namespace levain
