#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "persistence/timestamp.hpp"

namespace levain {

/// What is known of a database that takes nothing, or not from every writer.
struct outage_report {
  size_t writers_failing = 0;
  size_t writers = 0;
  /// When the first of those that fail began to.
  timestamp since{};
  /// The latest of their reasons, in the database's words on one line.
  std::string reason;

  bool operator==(const outage_report&) const = default;
};

/// Which writers the database takes nothing from. One alone may fail: the table that its batch needs is full, or it
/// lost its connection. Any thread.
class database_outage {
public:
  /// A writer's place.
  size_t enlist();

  /// This writer's batch was not taken; each further try may say another reason. True when no other writer was failing.
  bool begin(size_t writer, timestamp at, std::string reason);
  /// This writer's batch was taken. True when it was the last that failed.
  bool end(size_t writer);

  /// True while any writer fails.
  bool going_on() const { return failing_.load() > 0; }
  /// Nothing while none fails.
  std::optional<outage_report> report() const;

private:
  mutable std::mutex mutex_;
  /// Since when each writer has been failing.
  std::vector<std::optional<timestamp>> since_;
  std::string reason_;
  std::atomic<size_t> failing_{0};
};

} // namespace levain
