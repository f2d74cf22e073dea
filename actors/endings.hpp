#pragma once

#include <functional>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/node_options.hpp"

namespace levain {

/// What the actor of the endings begins with.
struct endings_beginning {
  /// Names this life of the node in cursors.
  uuid boot;
  endings_options options;
  /// A clock that is never set.
  std::function<timestamp()> now;
  timekeeper_actor timekeeper;
};

/// Keeps the newest endings in a ring, and those who wait for the next one.
struct endings_state {
  static inline const char* name = "endings";

  explicit endings_state(endings_actor::pointer self);
  /// Whoever waits is told that there is nothing.
  ~endings_state();

  void begin(endings_beginning how);
  void add(const run_ending& ending);
  void ask(endings_asked& x);
  void listen(listen_to_endings& x) { listener_ = std::move(x.listener); }
  void woken();

private:
  struct waiting_poll {
    uint64_t number = 0;
    bool missed = false;
    size_t limit = 0;
    timestamp until{};
    receiver<endings_outcome> outcome;
    std::function<bool()> abandoned;
  };

  uint64_t oldest_kept() const { return count_ - kept_.size(); }
  void answer(const waiting_poll& poll) const;

  endings_actor::pointer self_;
  endings_beginning how_;
  /// The ending with number n stands at n modulo `kept_max` once the ring is full.
  std::vector<run_ending> kept_;
  uint64_t count_ = 0;
  std::vector<waiting_poll> waiting_;
  std::function<void(const run_ending&)> listener_;
};

endings_actor::behavior_type endings(endings_actor::stateful_pointer<endings_state> self, endings_beginning how);

} // namespace levain
