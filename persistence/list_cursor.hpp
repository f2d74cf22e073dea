#pragma once

#include <optional>
#include <string>

#include "persistence/ids.hpp"

namespace levain {

/// The place of a row in a list that is ordered by a time and the id.
struct cursor_place {
  /// As the database writes it, which also says what is no time to this program; absent at the beginning.
  std::optional<std::string> at;
  std::optional<run_id> id;
};

/// What a client gives back for the page after this row: `2026-11-23_04:00:00.123456_018f...`, without spaces.
std::string cursor_after(std::string at, const run_id& id);

/// Reads a cursor; an empty one is the beginning. Throws as `refuse_cursor` does. Whether the time is one, only the
/// database can say.
cursor_place read_cursor(const std::string& cursor);

/// Throws `std::invalid_argument` that names the cursor and what it must be.
[[noreturn]] void refuse_cursor(const std::string& cursor);

} // namespace levain
