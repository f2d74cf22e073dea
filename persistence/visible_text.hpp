#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace levain {

/// One character of UTF-8 text: its bytes and its code point; no code point for a byte that is not UTF-8.
struct text_character {
  std::string_view bytes;
  std::optional<uint32_t> code_point;
};

/// The first character of a text that is not empty.
text_character first_character(std::string_view text);

/// True for what a terminal obeys instead of showing it, or what makes text look like another: controls (C0, DEL, C1),
/// the line and paragraph separators U+2028 and U+2029, and the marks that change the direction of text.
bool is_hidden(uint32_t code_point);

/// The escape of a code point in JSON: `\u202e`, and two of them beyond U+FFFF.
std::string json_escape(uint32_t code_point);

} // namespace levain
