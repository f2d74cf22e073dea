#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "persistence/timestamp.hpp"
#include "persistence/uuid.hpp"

namespace levain {

/// How far ahead of now the journal has partitions of its own, unless told otherwise.
inline constexpr std::chrono::weeks partitions_ahead{8};
inline constexpr std::chrono::weeks partitions_ahead_max{104};

/// Makes the journal's partitions (one per week, from Monday 00:00 UTC) of the week of `now` and the `ahead` weeks
/// after it that are missing, and moves there what stands in the default partition meanwhile. Answers the names of
/// those it made; none when all were there. Throws `std::invalid_argument` when `ahead` is not 0 to
/// `partitions_ahead_max`, `migration_error` (see migrator.hpp), `journal_unavailable`. Any thread; harmless at the
/// side of running nodes.
std::vector<std::string>
ensure_partitions(const std::string& url, timestamp now = now_utc(), std::chrono::weeks ahead = partitions_ahead);

/// What `drop_partitions_before` did.
struct partition_drops {
  /// The names of the partitions that are gone.
  std::vector<std::string> dropped;
  /// A sentence for each old partition that stays, because runs in it are not ended.
  std::vector<std::string> refused;
};

/// Drops the journal's partitions whose runs all began before `before`, with the start keys of those runs. The audit
/// rows stay. A partition that holds an unfinished run stays as a whole. What stands in the default partition stays.
/// Throws as `ensure_partitions` does.
partition_drops drop_partitions_before(const std::string& url, timestamp before);

/// Drops those partitions whose runs all began before `before` and that hold no event. Answers their names. Throws as
/// `ensure_partitions` does.
std::vector<std::string> drop_empty_partitions_before(const std::string& url, timestamp before);

/// The lowest id a run that began at `at` can have: its first 48 bits are the milliseconds.
uuid lowest_id(timestamp at);

} // namespace levain
