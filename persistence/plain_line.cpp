#include "persistence/plain_line.hpp"

#include "persistence/utf8.hpp"

namespace levain {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

} // namespace

std::string plain_line(std::string_view text, size_t bytes_max) {
  std::string line;
  while (!text.empty()) {
    const auto bytes = utf8_length(text);
    auto character = bytes == 0 ? replacement : text.substr(0, bytes);
    if (bytes == 1 && is_control(character.front()))
      character = line.ends_with(' ') ? "" : " ";
    if (line.empty() && character == " ")
      character = "";
    if (line.size() + character.size() > bytes_max)
      break;
    line += character;
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  while (line.ends_with(' '))
    line.pop_back();
  return line;
}

} // namespace levain
