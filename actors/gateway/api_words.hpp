#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "actors/workflow/parse_definition.hpp"

// What is said about the names and texts in requests.

namespace levain {

/// The one of `known` that `name` was most likely meant to be; empty when none is near (more than two changes, or more
/// than half its length, away).
std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& known);

/// `is not known here`, with the nearest name that is, or all of them.
std::string unknown_name(std::string_view name, const std::vector<std::string_view>& known);

/// Adds an error for each member of `object`, which stands at `place`, that is not in `known`.
void check_members(
  const nlohmann::json& object, const std::vector<std::string_view>& known, std::string_view place,
  std::vector<field_error>& errors);

/// The number of characters (code points) of UTF-8 text, as PostgreSQL counts them for `varchar(n)`.
size_t count_characters(std::string_view utf8);

/// `a, b or c`.
std::string list_names(const std::vector<std::string_view>& names);

} // namespace levain
