#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "apps/load/load_result.hpp"

namespace levain::load {

/// How long things took, in fixed memory (186 KB), with 3 significant digits. The layout of its counts is that of
/// HdrHistogram by Gil Tene (hdrhistogram.org): 2048 counts of a microsecond each, then for every doubling 1024 counts
/// that are twice as wide. So a value below 2.048 ms is known to the microsecond, and any longer one with an error of
/// less than 1/1024 of it.
///
/// One object is used by one thread at a time; give each thread one of its own and `add` them.
class latency_histogram {
public:
  /// Longer ones count as this long, except in `max` and `mean`.
  static constexpr std::chrono::microseconds latency_max = std::chrono::hours(1);

  latency_histogram();

  /// Counts a latency, `times` times, rounded to the microsecond; a negative one counts as none.
  void record(std::chrono::nanoseconds latency, uint64_t times = 1);

  /// Counts all that `other` has counted.
  void add(const latency_histogram& other);

  /// Forgets everything; keeps the memory.
  void clear();

  uint64_t count() const { return count_; }

  /// The latency that so many in a thousand do not exceed: the smallest one for which that holds (nearest rank), or a
  /// little longer, see above, and never more than the longest. Zero while nothing is counted. Throws
  /// std::invalid_argument for more than 1000.
  std::chrono::microseconds quantile(unsigned in_thousand) const;

  /// All of it in milliseconds. The rows of the histogram split every doubling into 16 (below 16 us: a row for each
  /// microsecond), from the row before the first that counts anything to the last that does.
  latency_figures figures() const;

private:
  std::vector<latency_bucket> rows() const;

  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t total_us_ = 0;
  uint64_t max_us_ = 0;
};

} // namespace levain::load
