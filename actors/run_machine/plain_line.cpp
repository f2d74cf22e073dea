#include "actors/run_machine/plain_line.hpp"

namespace levain {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// How many bytes the well-formed UTF-8 character at the text's beginning has (Unicode 15, table 3-7); 0 when there is
/// none.
size_t character_bytes(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  auto between = [&](size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  auto lead = byte(0);
  if (lead < 0x80)
    return 1;
  if (lead >= 0xC2 && lead <= 0xDF)
    return between(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    auto low = lead == 0xE0 ? 0xA0u : 0x80u;
    auto high = lead == 0xED ? 0x9Fu : 0xBFu;
    return between(1, low, high) && between(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    auto low = lead == 0xF0 ? 0x90u : 0x80u;
    auto high = lead == 0xF4 ? 0x8Fu : 0xBFu;
    return between(1, low, high) && between(2, 0x80, 0xBF) && between(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
}

} // namespace

std::string plain_line(std::string_view text, size_t bytes_max) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  std::string line;
  while (!text.empty()) {
    auto bytes = character_bytes(text);
    auto character = bytes == 0 ? replacement : text.substr(0, bytes);
    if (bytes == 1 && is_blank(character.front()))
      character = " ";
    if (line.size() + character.size() > bytes_max)
      break;
    line += character;
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return line;
}

call_failure plain_line(call_failure failure) {
  failure.message = plain_line(failure.message);
  return failure;
}

} // namespace levain
