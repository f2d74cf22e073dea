#pragma once

#include <caf/actor_clock.hpp>
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
  /// Run numbers reserved at a time; the first time, so that a node that starts and ends often takes few.
  int64_t numbers_block = 20'000;
  int64_t numbers_first_block = 1'000;
  /// What the node lacks for the calls of a workflow, each in words. Asked once for a version, on the keeper's thread.
  /// Throws `journal_unavailable`. Absent: it lacks nothing, ever.
  std::function<std::vector<std::string>(const workflow_version&)> lacking;
  /// Whether calls of this node wait for something that it lacks.
  std::function<bool()> calls_want;
  /// Is told after every look whether an operator wants the node to hold no shards, and what it lacks.
  std::function<void(bool draining, const std::string& lacks)> stands;
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
  void give_back(const numbers_unused& x);
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
  /// Finds out what the node lacks that unfinished runs need, when it is time to.
  void look_for_lacks();
  std::string lacks_now();
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
  /// The node that this one was before, until the database has it as this one.
  std::optional<uuid> follows_;
  /// The node has an id to join under. Kept over all tries: one whose answer was lost may have been carried out.
  bool minted_ = false;
  bool left_ = false;
  /// The database knows the node, but not its addresses.
  bool address_is_new_ = false;
  std::map<shard_number, held_shard> shards_;
  /// Heartbeats in a row that found more shards than the node's share.
  uint32_t surplus_beats_ = 0;
  /// What the node lacks for each version of a workflow that it was asked for. Both are immutable.
  std::map<workflow_version, std::vector<std::string>> lacks_by_workflow_;
  /// What it lacks that unfinished runs need, as the others are told; empty: nothing.
  std::string lacks_;
  /// False until it was looked for without a failure.
  bool lacks_known_ = false;
  /// When it was last looked for; nothing before the first time.
  std::optional<caf::actor_clock::time_point> lacks_looked_at_;
  /// When an unfinished run last needed it.
  caf::actor_clock::time_point lacked_at_{};
  /// A first block of run numbers was reserved.
  bool numbers_given_ = false;
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
