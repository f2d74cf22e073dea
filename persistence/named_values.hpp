#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace levain {

/// The value of an enumeration whose names stand in `names` in the order of its values, or nothing for another text.
template <class Enum, size_t Count>
std::optional<Enum> parse_named(const std::array<std::string_view, Count>& names, std::string_view text) {
  for (size_t i = 0; i < Count; ++i)
    if (names[i] == text)
      return static_cast<Enum>(i);
  return std::nullopt;
}

} // namespace levain
