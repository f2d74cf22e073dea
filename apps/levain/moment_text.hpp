#pragma once

#include <optional>
#include <string>

#include "persistence/timestamp.hpp"

namespace levain {

/// What `moment_of` reads, for error sentences.
inline constexpr const char* moment_rule =
  "a time such as 2026-11-23T04:00:00Z or \"2026-11-23 04:00\" (UTC where no zone is named), a day such as 2026-11-23, "
  "now, today, yesterday, or how long ago, such as 2h or \"2 hours ago\"";

/// A moment in any of these forms; nothing when it is none. Days begin in UTC.
std::optional<timestamp> moment_of(const std::string& text, timestamp now);

} // namespace levain
