#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "actors/workflow/parse_definition.hpp"

namespace levain {

namespace {

struct duration_unit {
  std::string_view name;
  duration length;
};

/// From the longest to the shortest.
constexpr std::array units = {
  duration_unit{"d", std::chrono::hours(24)},        duration_unit{"h", std::chrono::hours(1)},
  duration_unit{"m", std::chrono::minutes(1)},       duration_unit{"s", std::chrono::seconds(1)},
  duration_unit{"ms", std::chrono::milliseconds(1)},
};

} // namespace

std::optional<duration> parse_duration(std::string_view text) {
  int64_t count = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, fault] = std::from_chars(text.data(), end, count);
  if (fault != std::errc{} || text.front() == '-')
    return std::nullopt;
  const auto unit = std::ranges::find(units, std::string_view(stopped, end), &duration_unit::name);
  if (unit == units.end() || count > duration::max() / unit->length)
    return std::nullopt;
  return count * unit->length;
}

std::string format_duration(duration span) {
  if (span == duration::zero())
    return "0s";
  for (const auto& unit : units)
    if (span % unit.length == duration::zero())
      return std::to_string(span / unit.length).append(unit.name);
  // Finer than the notation can say; not a text that `parse_duration` reads.
  return std::to_string(span.count()) + "us";
}

} // namespace levain
