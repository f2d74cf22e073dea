#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/journal.hpp"

namespace levain {

/// The longest idempotency key a start can carry.
inline constexpr size_t start_key_bytes_max = 255;

/// How many characters the limited columns of `orchestration_runs` hold.
inline constexpr size_t run_number_characters_max = 50;
inline constexpr size_t run_type_characters_max = 50;
inline constexpr size_t priority_characters_max = 20;
inline constexpr size_t step_status_characters_max = 20;
inline constexpr size_t triggered_by_characters_max = 100;

/// What keeps a run's part of a batch from being sent to any database at all: a NUL byte in a text, a year outside of 1
/// to 9999, numbers with holes, an insert for another run or beside the wrong event. One line that names place and
/// value.
std::optional<std::string> find_unsendable(const run_append& append);

/// The same for every run of a batch, in its order; a run that stands in the batch already is at fault as well.
std::vector<std::optional<std::string>> find_unsendable(const std::vector<run_append>& batch);

/// What the tables would refuse in it: invalid UTF-8, JSON that `jsonb` does not take, a text longer than its column.
/// One line that names place and value. The database has the last word; this is its words with the column named.
std::optional<std::string> find_refused(const run_append& append);

/// A row that is not refused as its columns keep it: blanks beyond their widths are cut, and a version without a
/// workflow is none.
audit_row as_stored(audit_row row);

} // namespace levain
