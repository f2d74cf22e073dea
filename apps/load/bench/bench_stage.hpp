#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/node_options.hpp"
#include "apps/load/floor.hpp"
#include "apps/load/run_load.hpp"
#include "persistence/embedded_postgres.hpp"

namespace levain::load {

struct bench_options {
  /// Shorter loads and fewer repetitions.
  bool quick = false;
  /// Rows that were asked for by name; empty for all.
  std::vector<std::string> only;
  /// For the databases; exists, and the server's user may enter it.
  std::filesystem::path directory;
  /// Of `levaind`.
  std::filesystem::path daemon_program;
  /// True once the bench is to end early. May be empty.
  std::function<bool()> stopped;
};

/// What all loads of a bench came to together.
struct bench_proof {
  uint64_t loads = 0;
  uint64_t runs = 0;
  uint64_t lost = 0;
  uint64_t duplicates = 0;
  uint64_t audit_differences = 0;
  /// What is wrong, a sentence each; not more than a few.
  std::vector<std::string> complaints;

  bool holds() const;
};

/// A private PostgreSQL that nobody needs afterwards: it ends at once, without writing its memory to its files.
class bench_server {
public:
  /// In a new directory, migrated. Throws `embedded_postgres_error`.
  explicit bench_server(const std::filesystem::path& directory);
  ~bench_server();
  bench_server(const bench_server&) = delete;
  bench_server& operator=(const bench_server&) = delete;

  const std::string& url() const { return url_; }

private:
  std::unique_ptr<embedded_postgres> server_;
  std::string url_;
};

/// One round of loads that are compared with each other.
struct strict_round {
  load_result floor;
  load_result strict;
  load_result none;
};

/// Where the rows are measured: private PostgreSQL servers, loads whose proofs are added up, and what several rows need
/// and is measured once. One thread.
class bench_stage {
public:
  /// The loads of a closed loop keep so many runs in flight.
  static constexpr size_t in_flight = 1'000;

  explicit bench_stage(bench_options options);

  const bench_options& options() const { return options_; }
  bool quick() const { return options_.quick; }
  bool is_asked_for(std::string_view row) const;
  /// The one of the two that fits how much time there is.
  template <class Value>
  Value pick(Value full, Value quick) const {
    return options_.quick ? quick : full;
  }
  /// How often loads that are compared with each other are repeated: 5, or 2 when quick.
  size_t rounds() const { return pick<size_t>(5, 2); }
  /// How long each of these lasts.
  duration round_length() const;

  /// An empty database of one's own. Throws `command_failed` when the directory has one of that name, and
  /// `embedded_postgres_error`.
  std::unique_ptr<bench_server> fresh_server(const std::string& name) const;
  /// The server that most rows share; no run in it is unfinished between two rows.
  const std::string& url();

  /// Loads an engine in this process. Notes the proof. Throws what `load_node` throws, and `command_failed` when the
  /// bench is to end.
  load_result load(const std::string& url, load_options options, node_options node = {});
  /// Loads a daemon, whose database is at `url`.
  load_result load_daemon(const std::string& url, const std::string& daemon_url, load_options options);
  /// Runs without the engine.
  load_result floor(const std::string& url, floor_options options) const;
  /// Adds what a row without a load has proven.
  void note_proof(uint64_t runs, uint64_t lost, uint64_t duplicates, const std::string& complaint);

  /// Loads the shared server once before anything is measured on it: the first load of a database makes its files grow,
  /// and of a process its memory.
  void warm_up();

  /// A closed loop of strict runs of five steps that take no time, for the length of a round.
  load_options closed_loop() const;

  /// Floor, strict runs and runs of `effect: none` in turns; measured when it is asked for first.
  const std::vector<strict_round>& strict_rounds();
  /// Strict runs a second that the engine in this process does in a closed loop; measured when it is asked for first.
  double capacity();

  const bench_proof& proof() const { return proof_; }

private:
  void require_going_on() const;
  void note(const loaded& done);

  const bench_options options_;
  std::unique_ptr<bench_server> server_;
  bool warm_ = false;
  std::vector<strict_round> strict_rounds_;
  std::optional<double> capacity_;
  bench_proof proof_;
};

// ---- figures ------------------------------------------------------------------

/// The middle one, or the mean of the two in the middle. At least one value.
double median(std::vector<double> values);

/// The median of what `figure` says of each result.
template <class Results, class Figure>
double median_of(const Results& results, Figure figure) {
  std::vector<double> values;
  for (const auto& each : results)
    values.push_back(figure(each));
  return median(std::move(values));
}

/// Runs a second of a closed loop while it was full: from its second half-second on for as long as runs were started.
/// Of a load that was too short for that: of all of it.
double steady_rate(const load_result& result);

/// Runs a second that ended from `from` to `to` (seconds since the load began), by its moments in that span.
double rate_between(const load_result& result, double from, double to);

/// The latency in ms that 99 in 100 of all these runs do not exceed, by their histograms: between two of
/// their rows (which are a sixteenth apart) values are taken to be spread evenly. Zero where there are none.
double p99_of(const std::vector<latency_figures>& groups);

} // namespace levain::load
