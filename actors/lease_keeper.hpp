#pragma once

#include <functional>
#include <map>
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
  /// No other node can be alive: take what there is, whatever the heartbeats say, and hand nothing over.
  bool sole = false;
  int64_t numbers_block = 20'000;
};

/// Holds what the node owns. The database decides, by its own clock; this asks it in time. What this knows may be old,
/// and that costs nothing but a detour: whatever the node writes is checked against the epochs.
struct lease_state {
  static inline const char* name = "lease_keeper";

  explicit lease_state(lease_keeper_actor::pointer self);

  void begin(lease_beginning how);
  void tick(const caf::strong_actor_ptr& from);
  void reserve(const caf::strong_actor_ptr& from);
  void announce(const announce_address& x);
  void fenced(const shard_fenced& x);
  void vacated(const shards_vacated& x);
  void leave();

private:
  /// A shard that the database gave us.
  struct held_shard {
    epoch_number epoch = 0;
    /// `leaving`: its runs are to go. `vacated`: they have gone, and it can be released. `releasing`: the database was
    /// asked to, and may have done so.
    enum class phase_type : uint8_t { held, leaving, vacated, releasing } phase = phase_type::held;
  };

  void renew();
  bool still_ours();
  void lost();
  void balance();
  void hand_over(size_t count);
  void take(size_t count);
  void hold(std::vector<shard_lease> taken);
  void release_vacated();
  void give_numbers();
  size_t held_count() const;

  lease_keeper_actor::pointer self_;
  lease_beginning with_;
  dispatcher_actor dispatcher_;
  bool joined_ = false;
  bool left_ = false;
  /// The database knows the node, but not its address.
  bool address_is_new_ = false;
  std::map<shard_number, held_shard> shards_;
  /// Heartbeats in a row that found more shards than the node's share.
  uint32_t surplus_beats_ = 0;
  /// Who waits for numbers.
  dispatcher_actor numbers_for_;
};

/// To be spawned detached: it waits for the database. Begins with the first `beat`, whose sender is the dispatcher.
lease_keeper_actor::behavior_type
lease_keeper(lease_keeper_actor::stateful_pointer<lease_state> self, lease_beginning how);

} // namespace levain
