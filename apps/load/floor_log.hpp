#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "apps/load/latency_histogram.hpp"
#include "apps/load/load_result.hpp"

namespace levain::load {

/// One commit of a floor, as its writer saw it.
struct floor_commit {
  /// Since the floor began, without the times in which rows were made.
  std::chrono::nanoseconds began{};
  std::chrono::nanoseconds ended{};
  /// Which one of its runs, from 0 to `floor_commits` - 1; then `group_began` is when the first of them began.
  size_t number = 0;
  std::chrono::nanoseconds group_began{};
  size_t runs = 0;
  size_t events = 0;
  /// Of this process, afterwards.
  uint64_t rss_bytes = 0;
};

/// What the commits came to: runs, steps, latencies, events in a commit, commits of a run, what happened over time.
/// `seconds` is the time in which they were made. The order of the commits does not matter.
void tell_commits(std::vector<floor_commit> commits, double seconds, load_result& result);

} // namespace levain::load
