#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

namespace levain {

/// The last so many values of a figure, for quantiles that tell how it is now and not how it was since the start.
/// Exact, bounded, and cheap to add to; made for a figure that comes some thousand times a second at most. Any thread.
class recent_values {
public:
  static constexpr size_t values_max = 1024;

  void add(uint64_t value) {
    const std::lock_guard guard(mutex_);
    values_[added_++ % values_max] = value;
  }

  /// Nothing but zeros while no value was added.
  struct figures {
    /// How many values the quantiles are of.
    uint64_t count = 0;
    uint64_t median = 0;
    /// 99 of 100 values are no greater.
    uint64_t p99 = 0;
    uint64_t max = 0;
    bool operator==(const figures&) const = default;
  };

  figures read() const {
    std::vector<uint64_t> sorted;
    {
      const std::lock_guard guard(mutex_);
      sorted.assign(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(std::min(added_, values_.size())));
    }
    if (sorted.empty())
      return {};
    std::sort(sorted.begin(), sorted.end());
    // The nearest rank: the smallest value that so many of 100 do not exceed.
    const auto rank = [&](size_t percent) { return sorted[(sorted.size() * percent + 99) / 100 - 1]; };
    return {sorted.size(), rank(50), rank(99), sorted.back()};
  }

private:
  mutable std::mutex mutex_;
  std::array<uint64_t, values_max> values_{};
  size_t added_ = 0;
};

} // namespace levain
