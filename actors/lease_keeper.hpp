#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/node_options.hpp"

namespace levain {

/// What a lease keeper needs to begin. The functions may be absent; they are called on the keeper's thread.
struct lease_beginning {
  std::unique_ptr<leases> store;
  lease_options options;
  /// The id is made anew at every joining.
  node_record node;
  std::function<uuid()> mint;
  /// No other node can be alive: take what there is, whatever the heartbeats say, and hand nothing over.
  bool sole = false;
  int64_t numbers_block = 20'000;
  /// What the node says of itself with a heartbeat.
  std::function<node_figures()> figures;
  /// Is told what the database says of the nodes, and by which id it knows this one, after every look.
  std::function<void(const cluster_view&, const uuid& self)> viewed;
  /// Shards were released: others may take them.
  std::function<void()> released;
  /// A heartbeat is on its way to the database.
  std::function<void()> asking;
  /// The heartbeat was answered: nothing; or why it was not.
  std::function<void(const std::optional<std::string>&)> answered;
  /// The node may not join the living ones, for this reason; the keeper has given up.
  std::function<void(const std::string&)> refused;
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
  void announce(const announce_gate& x);
  void fenced(const shard_fenced& x);
  void vacated(const shards_vacated& x);
  void drain_one(const drain_node& x);
  void look_closely();
  void look_closer();
  void look_soon();
  void look_again();
  void end_in_order(hand_all_over& x);
  void leave();

private:
  /// A shard that the database gave us.
  struct held_shard {
    epoch_number epoch = 0;
    /// `leaving`: its runs are to go. `vacated`: they have gone, and it can be released. `releasing`: the database was
    /// asked to, and may have done so.
    enum class phase_type : uint8_t { held, leaving, vacated, releasing } phase = phase_type::held;
  };

  void look(uint32_t beats);
  void renew();
  void join();
  bool still_ours();
  void lost();
  void keep_draining_mark();
  void balance(uint32_t beats);
  void give_all(const shard_share& share);
  void tell_handed_over(const std::string& reason);
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
  /// The database knows the node, but not its addresses.
  bool address_is_new_ = false;
  std::map<shard_number, held_shard> shards_;
  /// Heartbeats in a row that found more shards than the node's share.
  uint32_t surplus_beats_ = 0;
  /// Who waits for numbers.
  dispatcher_actor numbers_for_;
  /// Looks that are to follow in quick succession; while there are some, one is on its way.
  int64_t close_looks_left_ = 0;
  /// A look is asked for already.
  bool looks_soon_ = false;
  /// The node is about to end: it takes nothing, and these are told when it has nothing.
  bool ending_ = false;
  std::vector<receiver<all_handed_over>> hand_over_told_;
};

/// To be spawned detached: it waits for the database. Begins with the first `beat`, whose sender is the dispatcher.
lease_keeper_actor::behavior_type
lease_keeper(lease_keeper_actor::stateful_pointer<lease_state> self, lease_beginning how);

} // namespace levain
