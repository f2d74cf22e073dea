#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/ids.hpp"

namespace levain {

/// How a run can break the rule that every run which has not ended has one owner and due work, a timer or a named wait.
enum class liveness_kind : uint8_t {
  /// Its row says that it goes on, its shard is this node's, and no actor has it.
  orphaned,
  /// Nothing will ever wake its actor.
  stuck,
  /// What was to wake its actor is over its time.
  overdue,
  /// Its actor does not answer.
  silent,
  /// Its actor acts under an epoch that is not the shard's.
  misowned,
  /// It stood in line although a slot was free.
  unserved,
};

inline constexpr size_t liveness_kind_count = 6;

std::string_view to_string(liveness_kind kind);

/// One run that was found lifeless on two looks in a row.
struct liveness_violation {
  timestamp at{};
  run_id run;
  liveness_kind kind = liveness_kind::stuck;
  /// One line.
  std::string detail;
};

/// What the watchdog has found since the node began.
struct liveness_figures {
  /// Whole looks over all live runs.
  uint64_t looks = 0;
  /// Absent before the first.
  std::optional<timestamp> looked_at;
  /// By kind.
  std::array<uint64_t, liveness_kind_count> violations{};
  /// Runs that were given up because they came to a halt again and again.
  uint64_t given_up = 0;
  /// The newest at the end, at most `liveness_violations_kept`.
  std::deque<liveness_violation> last;

  uint64_t violations_in_all() const;
};

inline constexpr size_t liveness_violations_kept = 20;

/// Where the watchdog writes and health pages read. Any thread.
class liveness_log {
public:
  void looked(timestamp at);
  /// Counts it and says it in the node's log.
  void note(liveness_violation violation);
  void note_given_up();
  liveness_figures figures() const;

private:
  mutable std::mutex mutex_;
  liveness_figures figures_;
};

} // namespace levain
