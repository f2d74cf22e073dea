#include "actors/run_machine/plain_line.hpp"

#include "persistence/utf8.hpp"

namespace levain {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

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
    auto bytes = utf8_length(text);
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
