#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>

#include "persistence/timestamp.hpp"

namespace levain {

/// What the writers still have before them.
struct append_pressure {
  /// How long the oldest append has been waiting to be settled.
  duration wait{};
  /// Appends that wait for a batch.
  size_t waiting = 0;
  /// False while the database takes nothing: then waiting says nothing of how busy it is.
  bool database_answers = true;
};

/// How far the database is behind: since when the oldest append of each writer has been waiting to be settled. Any
/// thread.
class append_backlog {
public:
  /// More writers than this share their places.
  static constexpr size_t places = 64;

  /// A writer's place.
  size_t enlist() { return enlisted_.fetch_add(1) % places; }

  /// Since when the oldest append of this place has been waiting; nothing when none does.
  void set_oldest(size_t place, std::optional<timestamp> arrived) {
    since_[place].store(arrived ? arrived->time_since_epoch().count() : nobody, std::memory_order_relaxed);
  }

  /// How long the oldest of all has been waiting; zero when none does.
  duration wait(timestamp now) const {
    duration longest(0);
    const auto used = std::min(enlisted_.load(std::memory_order_relaxed), places);
    for (size_t place = 0; place < used; ++place)
      if (const auto since = since_[place].load(std::memory_order_relaxed); since != nobody)
        longest = std::max(longest, now - timestamp(duration(since)));
    return longest;
  }

private:
  static constexpr int64_t nobody = 0;

  std::array<std::atomic<int64_t>, places> since_{};
  std::atomic<size_t> enlisted_{0};
};

} // namespace levain
