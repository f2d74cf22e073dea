#pragma once

#include <string_view>

namespace levain::test {

/// Whether the text has this part.
inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

} // namespace levain::test
