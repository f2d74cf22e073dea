#include "persistence/visible_text.hpp"

#include <cstdio>

#include "persistence/utf8.hpp"

namespace levain {

namespace {

std::string one_escape(uint32_t unit) {
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04x", unit);
  return text;
}

} // namespace

text_character first_character(std::string_view text) {
  const auto length = utf8_length(text);
  if (length == 0)
    return {text.substr(0, 1), std::nullopt};
  const auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<unsigned char>(text[at])); };
  // The bits of the first byte that belong to the character, by the length it announces.
  constexpr uint32_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  uint32_t code_point = byte(0) & first_bits[length];
  for (size_t at = 1; at < length; ++at)
    code_point = code_point << 6 | (byte(at) & 0x3f);
  return {text.substr(0, length), code_point};
}

bool is_hidden(uint32_t code_point) {
  const bool control = code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f);
  const bool separator = code_point == 0x2028 || code_point == 0x2029;
  // Unicode's Bidi_Control.
  const bool direction = code_point == 0x061c || code_point == 0x200e || code_point == 0x200f ||
                         (code_point >= 0x202a && code_point <= 0x202e) ||
                         (code_point >= 0x2066 && code_point <= 0x2069);
  return control || separator || direction;
}

std::string json_escape(uint32_t code_point) {
  if (code_point <= 0xffff)
    return one_escape(code_point);
  const auto rest = code_point - 0x10000;
  return one_escape(0xd800 + (rest >> 10)) + one_escape(0xdc00 + (rest & 0x3ff));
}

} // namespace levain
