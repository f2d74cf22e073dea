#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace levain {

/// A moment in UTC with PostgreSQL's precision.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// A span between two moments.
using duration = std::chrono::microseconds;

/// The calendar in which moments are stored and written: the years 1 to 9999 in UTC.
inline constexpr timestamp calendar_begin = std::chrono::sys_days(std::chrono::year(1) / 1 / 1);
inline constexpr timestamp calendar_end = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);

/// True from `calendar_begin` to before `calendar_end`.
constexpr bool is_in_calendar(timestamp at) {
  return at >= calendar_begin && at < calendar_end;
}

/// RFC 3339 in UTC with six decimals: `2026-11-23T04:00:00.000000Z`.
std::string to_rfc3339(timestamp at);

/// Reads RFC 3339 and PostgreSQL's ISO output; a text without an offset is UTC. Nothing for a moment that is
/// not in the calendar, which an offset can make of one that looks as if it were.
std::optional<timestamp> parse_timestamp(std::string_view text);

/// The time now, by this machine's clock. The one place that reads it for timestamps.
timestamp now_utc();

} // namespace levain
