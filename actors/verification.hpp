#pragma once

#include <cstdint>
#include <functional>

#include "actors/verify.hpp"
#include "actors/workflow_cache.hpp"
#include "persistence/queries.hpp"

namespace levain {

/// Threads that verify at the same time, at most; each has a connection.
inline constexpr size_t verify_jobs_max = 64;
/// Runs that one thread takes at a time, at most: bounds what is in memory, and how far the threads run apart.
inline constexpr size_t verify_page_runs_max = rows_per_answer_max;

struct verify_options {
  /// Threads, each with a connection of its own; 1 to `verify_jobs_max`.
  size_t jobs = 1;
  /// Runs in a page; 1 to `verify_page_runs_max`.
  size_t page_runs = 250;
};

/// One thread for each core of this machine, at most `verify_jobs_max`.
size_t verify_jobs_default();

/// How many runs came out how.
struct verify_report {
  uint64_t runs = 0;
  uint64_t equal = 0;
  uint64_t going_on = 0;
  uint64_t adopted = 0;
  uint64_t journal_dropped = 0;
  /// Runs that differ, those without a row included.
  uint64_t different = 0;
  /// Events folded.
  uint64_t events = 0;
  uint64_t differences = 0;

  verify_report& operator+=(const verify_report& other);
  bool operator==(const verify_report&) const = default;
};

/// What `verify_runs` tells while it works; all may be empty, and are called on the caller's thread.
struct verify_listener {
  /// In the order of the runs' ids, whatever the number of threads.
  std::function<void(const verify_difference&)> difference;
  /// After every page: what is done, and how many runs there are in all by the database's estimate.
  std::function<void(const verify_report&, uint64_t estimated_runs)> progress;
};

/// Verifies every run of `scope`, several pages at a time. `reads` says how the connections are made: one more than
/// there are jobs. Looks for journals without a row too, where the scope is the operator's and names neither a run nor
/// a moment to begin at. Throws `journal_unavailable`, and `std::invalid_argument` for options out of range.
verify_report verify_runs(
  const queries_options& reads, workflow_cache& workflows, const verify_scope& scope, const verify_options& options,
  const verify_listener& listener);

} // namespace levain
