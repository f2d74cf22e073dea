#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "persistence/timestamp.hpp"

namespace levain {

/// How fast a counter grows, from one reading to the next. One thread.
class count_rate {
public:
  /// Between two readings that are closer, a few more or less would look like much: the rate before stays.
  static constexpr duration span_min = std::chrono::milliseconds(200);

  /// The counter's growth per second since the reading before; 0 with the first one. A clock that goes back begins
  /// anew.
  double read(uint64_t count, timestamp now) {
    if (!at_ || now < *at_ || count < count_) {
      at_ = now;
      count_ = count;
      return rate_;
    }
    const auto span = now - *at_;
    if (span < span_min)
      return rate_;
    rate_ = static_cast<double>(count - count_) / std::chrono::duration<double>(span).count();
    at_ = now;
    count_ = count;
    return rate_;
  }

private:
  std::optional<timestamp> at_;
  uint64_t count_ = 0;
  double rate_ = 0;
};

} // namespace levain
