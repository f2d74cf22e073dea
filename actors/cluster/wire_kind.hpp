#pragma once

#include <string_view>

namespace levain {

/// What `is_kind` wants, for people.
inline constexpr const char* kind_rule = "letters, digits, '_', '-' and '.', a letter first, at most 100 bytes";

/// Whether definitions may name a kind of workers so, and workers offer it.
bool is_kind(std::string_view text);

} // namespace levain
