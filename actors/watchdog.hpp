#pragma once

#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "actors/interfaces.hpp"
#include "actors/liveness_log.hpp"
#include "actors/node_environment.hpp"
#include "actors/persistence.hpp"

namespace levain {

/// What a watchdog needs to begin.
struct watchdog_beginning {
  environment_ptr environment;
  dispatcher_actor dispatcher;
  watchdog_options options;
  /// Whether the database answers is read here; null: it always does.
  std::shared_ptr<const persistence_status> writers;
  std::shared_ptr<liveness_log> log;
};

/// Looks again and again whether something will move every run that has not ended. A page of live runs is asked at a
/// time, and then the open rows of the node's shards are compared with who is here. What is found lifeless twice in a
/// row is counted and taken up anew from its journal; what comes to a halt again and again is given up by name.
///
/// It has a clock entry of its own, because a lost timekeeper is one of the things that it is to find.
struct watchdog_state {
  static inline const char* name = "watchdog";

  explicit watchdog_state(watchdog_actor::pointer self);

  void begin(watchdog_beginning how);
  void woken(const look_around& x);
  void paged(const live_page& page);
  void told(const run_liveness& x);
  void listed(const open_rows_page& page);

private:
  /// What a run was found with, the last time that it was looked at.
  struct suspicion {
    liveness_kind kind = liveness_kind::stuck;
    int32_t seq = 0;
    /// The look it is from.
    uint64_t look = 0;
  };
  struct healing {
    uint32_t times = 0;
    /// The run's newest event when it was healed last: beyond it, the healing has helped.
    int32_t seq = 0;
    timestamp at{};
  };

  void wake_in(duration wait);
  void begin_look();
  void ask_page();
  void page_done();
  void judge(std::unordered_map<run_id, suspicion>& suspects, uint64_t look, const run_liveness& x);
  void heal(const run_liveness& x);
  void end_look();
  std::optional<timestamp> database_since();
  timestamp now() const { return with_.environment->now(); }
  timestamp steady() const { return with_.environment->steady(); }

  watchdog_actor::pointer self_;
  watchdog_beginning with_;
  /// Of the timer that counts; those set before it come as well.
  uint64_t turn_ = 0;

  /// Looks that began; the suspicions of the one before are confirmed by this one.
  uint64_t look_ = 0;
  enum class phase_type : uint8_t { resting, asking, pausing, reading } phase_ = phase_type::resting;
  /// Where the next page of live runs begins.
  size_t cursor_ = 0;
  /// Runs of the current page that have not answered, and since when they are asked.
  std::unordered_set<run_id> unanswered_;
  timestamp asked_at_{};
  std::unordered_map<run_id, suspicion> suspects_;

  /// The open rows are read over several looks where they are many: rounds.
  std::optional<run_id> rows_after_;
  uint64_t round_ = 0;
  std::unordered_map<run_id, suspicion> missing_;

  std::unordered_map<run_id, healing> healed_;
  size_t healed_this_look_ = 0;
  std::optional<timestamp> database_since_;
};

/// Looks for as long as it lives. Not to be spawned when it is `off`.
watchdog_actor::behavior_type watchdog(watchdog_actor::stateful_pointer<watchdog_state> self, watchdog_beginning how);

} // namespace levain
