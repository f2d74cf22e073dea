#pragma once

#include <functional>
#include <memory>

#include "actors/interfaces.hpp"
#include "actors/node_options.hpp"

namespace levain {

/// What a lease keeper needs to begin.
struct lease_beginning {
  std::unique_ptr<leases> store;
  lease_options options;
  /// The id is made anew at every joining.
  node_record node;
  std::function<uuid()> mint;
  /// No other node can be alive: take what there is, whatever the heartbeats say.
  bool sole = false;
  int64_t numbers_block = 10'000;
};

/// Holds what the node owns. The database decides; this asks it in time.
struct lease_state {
  static inline const char* name = "lease_keeper";

  explicit lease_state(lease_keeper_actor::pointer self);

  void begin(lease_beginning how);
  void tick(const caf::strong_actor_ptr& from);
  void reserve(const caf::strong_actor_ptr& from);
  void lost();
  void leave();

private:
  void renew();
  void take();
  bool still_ours() const;
  void give_numbers();

  lease_keeper_actor::pointer self_;
  lease_beginning with_;
  dispatcher_actor dispatcher_;
  bool joined_ = false;
  bool left_ = false;
  std::vector<shard_lease> owned_;
  /// Who waits for numbers.
  dispatcher_actor numbers_for_;
};

/// To be spawned detached: it waits for the database. Begins with the first `beat`, whose sender is the dispatcher.
lease_keeper_actor::behavior_type
lease_keeper(lease_keeper_actor::stateful_pointer<lease_state> self, lease_beginning how);

} // namespace levain
