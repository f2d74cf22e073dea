#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

#include "actors/workflow/parse_definition.hpp"

namespace levain {

/// Reads one JSON value and nothing else: UTF-8 without NUL (raw or as `\u0000`), no member twice in one object, no
/// comments, arrays and objects at most `depth_max` deep. Numbers are kept digit by digit
/// (`exact_json.hpp`), and one without a fraction is a whole number however it is written (`2.0` is 2), so that a text
/// and its copy in `jsonb` read the same. Positions in errors
/// count bytes from 1. Never throws for bad input.
std::variant<nlohmann::json, field_error> read_strict_json(std::string_view text, size_t depth_max);

/// The place of a member of the object at `place`: `steps[0].name`; names that are no plain words stand in brackets.
std::string member_place(std::string_view place, std::string_view member);

/// A value for an error message: numbers and words as they are, long texts cut short, `an object`, `a list`.
std::string describe_value(const nlohmann::json& value);

/// A text in quotes for an error message, without control characters and cut short.
std::string quote_text(std::string_view text);

} // namespace levain
