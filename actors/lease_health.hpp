#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "persistence/timestamp.hpp"

namespace levain {

/// Since when the database has not answered a node's heartbeats, and why. Heartbeats come whether or not there is
/// anything to write, so this is how an idle node notices that its database is gone. Any thread.
class lease_health {
public:
  using steady_time = std::chrono::steady_clock::time_point;

  /// A heartbeat that has no answer for longer counts as one that failed.
  static constexpr std::chrono::milliseconds answer_time_max{2000};

  struct report_type {
    timestamp since{};
    /// One line.
    std::string reason;
  };

  /// A heartbeat is on its way.
  void begin(steady_time now, timestamp at) {
    const std::lock_guard lock(mutex_);
    begun_ = now;
    begun_at_ = at;
  }

  /// The database has answered it.
  void answered() {
    const std::lock_guard lock(mutex_);
    begun_.reset();
    failing_.reset();
  }

  /// The database could not be asked. The first such moment in a row counts, and the latest reason.
  void failed(std::string reason) {
    const std::lock_guard lock(mutex_);
    begun_.reset();
    failing_ = report_type{failing_ ? failing_->since : begun_at_, std::move(reason)};
  }

  /// Nothing while the database answers.
  std::optional<report_type> report(steady_time now) const {
    const std::lock_guard lock(mutex_);
    if (failing_ || !begun_ || now - *begun_ <= answer_time_max)
      return failing_;
    return report_type{begun_at_, "it has not answered the node's heartbeat"};
  }

private:
  mutable std::mutex mutex_;
  std::optional<steady_time> begun_;
  timestamp begun_at_{};
  std::optional<report_type> failing_;
};

} // namespace levain
