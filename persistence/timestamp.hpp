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

/// RFC 3339 in UTC with six decimals: `2026-11-23T04:00:00.000000Z`.
std::string to_rfc3339(timestamp at);

/// Reads RFC 3339 and PostgreSQL's ISO output; a text without an offset is UTC.
std::optional<timestamp> parse_timestamp(std::string_view text);

/// The time now, by this machine's clock. The one place that reads it for timestamps.
timestamp now_utc();

} // namespace levain
