#include "apps/terminal/paint.hpp"

#include <cstdlib>
#include <string>
#include <unistd.h>

#include <fmt/format.h>

#include "persistence/visible_text.hpp"

namespace levain::terminal {

namespace {

std::string_view environment(const char* name) {
  const auto* value = std::getenv(name);
  return value ? value : "";
}

/// What the locale says of the character set. Nothing said counts as UTF-8, which nearly every terminal speaks.
bool locale_has_unicode() {
  for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = environment(name);
    if (!value.empty())
      return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos ||
             value.find("utf-8") != std::string_view::npos;
  }
  return true;
}

const char* code_of(ink kind) {
  switch (kind) {
  case ink::good:
    return "\033[32m";
  case ink::warning:
    return "\033[33m";
  case ink::bad:
    return "\033[31m";
  case ink::quiet:
    return "\033[2m";
  case ink::strong:
    return "\033[1m";
  case ink::plain:
    break;
  }
  return "";
}

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

} // namespace

paint::paint(bool colour, bool unicode)
  : colour_(colour)
  , unicode_(unicode) {}

paint paint::of(int descriptor) {
  const bool colour = ::isatty(descriptor) == 1 && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  return paint(colour, locale_has_unicode());
}

std::string paint::operator()(ink kind, std::string_view text) const {
  const std::string_view code = code_of(kind);
  if (!colour_ || code.empty() || text.empty())
    return std::string(text);
  return fmt::format("{}{}\033[0m", code, text);
}

ink ink_of_status(std::string_view status) {
  if (status == "completed")
    return ink::good;
  if (status == "partial_success" || status == "running" || status == "paused" || status == "cancelling")
    return ink::warning;
  if (status == "failed" || status == "cancelled")
    return ink::bad;
  return ink::plain;
}

size_t width_of(std::string_view text) {
  size_t width = 0;
  for (const char byte : text)
    width += continues(byte) ? 0 : 1;
  return width;
}

std::string padded(std::string_view text, size_t width, bool right) {
  const auto have = width_of(text);
  const std::string blanks(have < width ? width - have : 0, ' ');
  return right ? blanks + std::string(text) : std::string(text) + blanks;
}

std::string cut(std::string_view text, size_t width, const paint& look) {
  if (width_of(text) <= width)
    return std::string(text);
  const auto sign = look.sign("…", "...");
  const auto room = width > width_of(sign) ? width - width_of(sign) : 0;
  size_t end = 0;
  for (size_t taken = 0; end < text.size(); ++end)
    if (!continues(text[end]) && taken++ == room)
      break;
  return std::string(text.substr(0, end)) + std::string(sign);
}

std::string harmless(std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";
  std::string clean;
  while (!text.empty()) {
    const auto [bytes, code_point] = first_character(text);
    clean += !code_point ? replacement : is_hidden(*code_point) ? std::string_view(" ") : bytes;
    text.remove_prefix(bytes.size());
  }
  return clean;
}

std::string counted(uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string moment_text(timestamp at) {
  // 2026-11-23T04:00:00.123456Z with a blank in the middle and without its last three digits.
  auto text = to_rfc3339(at).substr(0, 23);
  text[10] = ' ';
  return text + 'Z';
}

} // namespace levain::terminal
