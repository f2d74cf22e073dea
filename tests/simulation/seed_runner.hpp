#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "tests/simulation/coverage.hpp"

namespace levain::simulation {

/// Which seeds to run, and with how many processes.
struct seed_range {
  uint64_t first = 1;
  /// How many; without `time_max` that is all, with it at most as many.
  uint64_t count = 1;
  std::optional<std::chrono::seconds> time_max;
  unsigned jobs = 1;
  /// Begin no further seeds once so many have failed.
  size_t failures_max = 1;
};

/// What came of many seeds.
struct seeds_result {
  uint64_t run = 0;
  coverage seen;
  uint64_t messages = 0;
  /// Virtual time, over all worlds.
  std::chrono::microseconds lasted{};
  std::chrono::duration<double> took{};
  /// Changes with every story that is told.
  uint64_t stories_hash = 0;
  /// Seeds that broke a rule.
  std::vector<uint64_t> failed;
  /// Seeds that ended their process, by the signal (or the negative exit status).
  std::map<uint64_t, int> crashed;
};

/// Runs each seed in one of `jobs` child processes. `progress` is told about once a second.
seeds_result run_seeds(const seed_range& which, const std::function<void(const seeds_result&)>& progress);

} // namespace levain::simulation
