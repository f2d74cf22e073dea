#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "persistence/timestamp.hpp"

namespace levain {

/// Runs that one transaction deletes.
inline constexpr int64_t retention_batch_default = 1'000;
inline constexpr int64_t retention_batch_max = 10'000;

/// Runs that ended later than so long ago are never deleted: a person may be about to retry one.
inline constexpr std::chrono::hours retention_age_min{24};

struct retention_options {
  /// Runs that ended before this moment are deleted.
  timestamp before{};
  /// 1 to `retention_batch_max`.
  int64_t batch_runs_max = retention_batch_default;
  /// Only counts the runs.
  bool dry_run = false;
};

struct retention_report {
  /// In a dry run, those that would be deleted; `events`, `start_keys` and `partitions` are then empty.
  int64_t runs = 0;
  int64_t events = 0;
  int64_t start_keys = 0;
  /// Old runs that stay because a person has to look at them (`attention`, `stopped_runs`).
  int64_t kept_for_attention = 0;
  /// The names of the empty old partitions that were dropped.
  std::vector<std::string> partitions;
  /// Why not all of them could be dropped; empty when they were. The next retention drops the rest.
  std::string partitions_refused;
};

/// Deletes ended runs with their rows, journals and start keys, batch by batch, then drops the old partitions of the
/// journal that have become empty. A run has ended when both its row and the newest event of its journal say so. Rows
/// of other programs (without a workflow), runs that need attention, and rows that another session has locked stay.
/// `progress` is told how many runs are gone after each batch. Throws `std::invalid_argument` for a batch out of range,
/// and `migration_error` (see migrator.hpp), which says how many runs are deleted already, or `journal_unavailable`.
retention_report delete_ended_runs(
  const std::string& url, const retention_options& options, const std::function<void(int64_t runs)>& progress = {});

} // namespace levain
