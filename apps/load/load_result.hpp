#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace levain::load {

/// One row of a histogram: how many values were at most `upper_ms` milliseconds and more than the row before.
struct latency_bucket {
  double upper_ms = 0;
  uint64_t count = 0;
};

/// How long runs took, in milliseconds: in a closed loop from the call of `start`, in an open loop from the moment at
/// which the run was to be started, until whoever started it is told that it has ended.
struct latency_figures {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double p999 = 0;
  double max = 0;
  double mean = 0;
  uint64_t count = 0;
  std::vector<latency_bucket> histogram;
};

/// What happened in one interval of a load.
struct load_moment {
  /// Seconds from the beginning of the load to the end of the interval.
  double at_s = 0;
  /// Starts that were acknowledged and runs that ended in the interval.
  uint64_t started = 0;
  uint64_t ended = 0;
  uint64_t steps = 0;
  uint64_t refused = 0;
  /// At its end.
  uint64_t in_flight = 0;
  /// Of the runs that ended in it, in milliseconds; absent when none did.
  std::optional<double> p50_ms;
  std::optional<double> p99_ms;
  /// Of the process that loads (in-process: with the engine), at its end.
  uint64_t rss_bytes = 0;
};

/// The latency of one tenant or one priority.
struct load_group {
  uint64_t runs = 0;
  latency_figures latency_ms;
};

/// What a load came to. Figures that could not be measured from where the harness stands are absent.
struct load_result {
  /// `load` or `floor`.
  std::string kind = "load";
  /// RFC 3339, UTC.
  std::string began_at;
  /// The options that make the load what it was, by name: shape, seed, in_flight, rate, writers, ...
  std::map<std::string, std::string> settings;
  /// Cores, memory, kernel, PostgreSQL's version and the settings of it that matter, by name.
  std::map<std::string, std::string> machine;

  /// Runs that ended, and steps that succeeded in them.
  uint64_t runs = 0;
  uint64_t steps = 0;
  /// From the first start to the last end.
  double seconds = 0;
  double runs_per_s = 0;
  double steps_per_s = 0;
  latency_figures latency_ms;
  /// From the call of `start` to its acknowledgement.
  latency_figures start_ms;

  std::optional<double> wal_bytes_per_run;
  /// Commits by the server's statistics.
  std::optional<double> commits_per_run;
  /// Transactions of the engine's writers, by its own count.
  std::optional<double> batches_per_run;
  /// Events in each of them, on average.
  std::optional<double> rows_per_batch;
  std::optional<double> engine_cpu_ms_per_run;
  std::optional<double> postgres_cpu_ms_per_run;
  /// Of the engine's process where it can be read, else of the harness.
  std::optional<uint64_t> peak_rss_bytes;
  /// Of the tables of runs and events at the end.
  std::optional<uint64_t> dead_tuples;

  /// Starts that were refused, by the reason they gave; one that was tried again counts each time.
  std::map<std::string, uint64_t> refused;
  /// Starts and other requests that failed, by what was said.
  std::map<std::string, uint64_t> errors;
  /// How runs ended, by status.
  std::map<std::string, uint64_t> endings;

  // The proof. Absent when it was not asked for.
  /// Starts that were acknowledged and have no end.
  std::optional<uint64_t> lost;
  /// Starts that made more than one run, and runs with more than one end.
  std::optional<uint64_t> duplicates;
  /// Runs whose audit row is not what their journal folds to, or whose journal breaks a rule.
  std::optional<uint64_t> audit_differences;

  std::vector<load_moment> over_time;
  std::map<std::string, load_group> tenants;
  std::map<std::string, load_group> priorities;

  /// Runs that ended as failed or cancelled.
  uint64_t failed() const;

  /// Nothing was lost, doubled or different, and nothing failed; true as well where it was not looked at.
  bool proven() const;
};

/// The result as `--json` prints it. Absent figures are null.
nlohmann::json to_json(const load_result& result);

/// Reads what `to_json` wrote. Throws std::invalid_argument that names the member that is missing or unfit.
load_result load_result_from_json(const nlohmann::json& text);

} // namespace levain::load
