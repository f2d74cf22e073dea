#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "apps/load/load_result.hpp"
#include "persistence/bare_writing.hpp"

namespace levain::load {

// Limits of a floor.
inline constexpr size_t floor_batch_runs_max = 10'000;
inline constexpr size_t floor_writers_max = 64;
/// Runs whose rows are made, and held in memory, before they are written: about 150 MB. Larger floors go in rounds.
inline constexpr uint64_t floor_round_runs_max = 40'000;

struct floor_options {
  /// A migrated database on which no node is alive.
  std::string database_url;
  bare_method method = bare_method::copy;
  /// Runs that share a commit; 1 to `floor_batch_runs_max`.
  size_t batch_runs = 500;
  /// How many runs, 1 or more, unless `duration` says how long.
  uint64_t runs = 40'000;
  /// Writing ends with the group of runs in which so much time has passed, without the time in which rows are made.
  std::optional<std::chrono::microseconds> duration;
  /// Each with a connection, a thread and shards of its own; 1 to `floor_writers_max`.
  size_t writers = 1;
  /// Compares what was written with the fold of the journal afterwards.
  bool proof = true;
  /// Of the rows' ids and of the tenant.
  uint64_t seed = 0;
  /// Told now and then what is done, with the number of runs so far; on the caller's thread. May be empty.
  std::function<void(const char* what, uint64_t runs)> progress;
};

/// What an engine could reach at best on this database: writes the rows that runs of five strict steps leave behind, in
/// as many commits one after another, and does nothing else. See docs/load-testing.md for what that leaves out. Throws
/// `journal_unavailable`, `std::invalid_argument` for options out of range, and `std::runtime_error` when a node is
/// alive on the database or a batch is refused.
load_result measure_floor(const floor_options& options);

} // namespace levain::load
