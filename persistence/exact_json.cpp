#include "persistence/exact_json.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace levain {

namespace {

/// As in JavaScript, whose form of numbers most readers know.
constexpr int64_t plain_digits_max = 21;
constexpr int64_t plain_zeros_max = 6;
/// Beyond any exponent that leads to a double.
constexpr int64_t exponent_bound = 1'000'000'000'000;

int64_t read_exponent(std::string_view text) {
  const bool is_negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+'))
    text.remove_prefix(1);
  int64_t exponent = 0;
  for (const char c : text)
    exponent = std::min(exponent_bound, exponent * 10 + (c - '0'));
  return is_negative ? -exponent : exponent;
}

} // namespace

std::optional<std::string> canonical_number(std::string_view literal) {
  const bool is_negative = !literal.empty() && literal.front() == '-';
  if (is_negative)
    literal.remove_prefix(1);
  const auto e = std::min(literal.find_first_of("eE"), literal.size());
  const auto mantissa = literal.substr(0, e);
  const auto dot = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, dot));
  if (dot < mantissa.size())
    digits += mantissa.substr(dot + 1);
  // The value is 0.DIGITS times ten to the `point`.
  auto point = static_cast<int64_t>(dot) + (e < literal.size() ? read_exponent(literal.substr(e + 1)) : 0);
  const auto first = digits.find_first_not_of('0');
  if (first == std::string::npos)
    return "0";
  digits.erase(0, first);
  point -= static_cast<int64_t>(first);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.size() > number_digits_max)
    return std::nullopt;
  const auto count = static_cast<int64_t>(digits.size());
  std::string text = is_negative ? "-" : "";
  if (point > 0 && point <= plain_digits_max) {
    if (count <= point)
      return text + digits + std::string(static_cast<size_t>(point - count), '0');
    return text + digits.substr(0, static_cast<size_t>(point)) + '.' + digits.substr(static_cast<size_t>(point));
  }
  if (point <= 0 && point > -plain_zeros_max)
    return text + "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  text += digits.front();
  if (count > 1)
    text += '.' + digits.substr(1);
  return text + (point > 0 ? "e+" : "e-") + std::to_string(std::abs(point - 1));
}

std::string canonical_number(double value) {
  if (!std::isfinite(value))
    return "null"; // As the library writes what JSON cannot say.
  std::array<char, 64> text{};
  const auto [end, fault] = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  return canonical_number(std::string_view(text.data(), static_cast<size_t>(end - text.data()))).value_or("0");
}

} // namespace levain
