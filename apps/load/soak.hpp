#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "apps/load/run_load.hpp"

namespace levain::load {

/// A load of large texts on a daemon of its own, whose memory is looked at all the time.
struct soak_options {
  duration length = std::chrono::minutes(30);
  /// Of each input and of each answer of a service.
  size_t body_bytes = 1024 * 1024;
  uint32_t steps = 3;
  /// More than there is memory for, so that starts are refused and calls wait.
  size_t in_flight = 500;
  uint64_t runs_bytes_max = 256ULL * 1024 * 1024;
  uint64_t calls_bytes_max = 64ULL * 1024 * 1024;
  /// What the daemon may take beside these two: code, connections, batches on their way, requests that arrive, and
  /// what its allocator has not given back.
  uint64_t other_bytes_max = 256ULL * 1024 * 1024;
  std::string database_url;
  /// For the daemon's log and port.
  std::filesystem::path directory;
  std::filesystem::path daemon_program;
};

struct soak_result {
  loaded load;
  /// Of the daemon: when it was ready, at most, and a while after the last run had ended.
  uint64_t rss_begin = 0;
  uint64_t rss_peak = 0;
  uint64_t rss_end = 0;
  /// At most, as the daemon counts.
  uint64_t runs_bytes_peak = 0;
  uint64_t calls_bytes_peak = 0;
  /// How often a look found calls that waited for room.
  uint64_t looks = 0;
  uint64_t looks_with_waiting_calls = 0;
  /// What was exceeded or went wrong, a sentence each; empty when all is well.
  std::vector<std::string> complaints;
};

/// Runs the load and judges it. Throws `command_failed`.
soak_result run_soak(const soak_options& options, const load_watch& watch);

/// What is wrong with the figures, a sentence each; without what the load itself says. Pure.
std::vector<std::string> memory_complaints(const soak_options& options, const soak_result& result);

} // namespace levain::load
