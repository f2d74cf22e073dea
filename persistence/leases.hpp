#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "persistence/cluster_view.hpp"
#include "persistence/ids.hpp"

namespace levain {

/// Who a daemon is, as the table `nodes` has it. A daemon that was fenced comes back under a new id.
struct node_record {
  uuid id;
  /// For people: host name and process, or what the operator chose; at most 100 characters.
  std::string name;
  /// URL of its HTTP interface; empty when it has none.
  std::string address;
  std::string version;
  /// HOST:PORT of its gate for nodes and workers; empty when it has none.
  std::string cluster_address = {};
  /// The versions of the wire's protocol that it speaks, both at least 1; both 0 when it has no gate.
  uint32_t protocol_min = 0;
  uint32_t protocol_max = 0;
  /// The newest migration that the program knows.
  int32_t schema_version = 0;
  /// It is to hold no shards. Heeded when the node is new to the table; `set_draining` changes it afterwards.
  bool draining = false;
  /// What it lacks, see `node_figures::lacks`.
  std::string lacks = {};
};

/// A version of a workflow that runs were started with.
struct workflow_version {
  std::string name;
  int32_t version = 0;
  auto operator<=>(const workflow_version&) const = default;
};

/// A node cannot join the living ones: they have no version of the wire's protocol in common. what() names both sides,
/// and what could join.
class join_refused : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// A shard this node owns, and under which epoch.
struct shard_lease {
  shard_number shard = 0;
  epoch_number epoch = 0;
  bool operator==(const shard_lease&) const = default;
};

/// What a node's part of the shards is at this moment, by the database's clock.
struct shard_share {
  /// Nodes whose lease has not run out, this one among them; 0 when this one's has, or when it is not known.
  size_t nodes_living = 0;
  /// How many shards this node is to own, see `fair_share`, counting those nodes that may hold some: they do not drain,
  /// and lack nothing. 0 when it may not itself, or when `nodes_living` is 0. While no living node may, it is what it
  /// would be if all might.
  size_t fair = 0;
  /// Shards that nobody owns, or whose owner's lease has run out.
  size_t free = 0;
  /// Nodes whose lease has run out and that are not forgotten yet.
  size_t nodes_expired = 0;
  /// An operator wants this node to hold no shards.
  bool draining = false;
  /// No living node may hold any: nobody could take anything. Then each keeps what it has, and what nobody owns is
  /// shared as if all might, so that no run is left alone.
  bool all_drain = false;
  bool operator==(const shard_share&) const = default;
};

/// All shards spread evenly over `nodes_living` nodes. Where that does not come out even, the nodes that were there
/// first have one more: `rank` counts the living nodes that are older, so a node that joins takes from the others and
/// moves nothing between them. Requires `rank < nodes_living`.
constexpr size_t fair_share(size_t rank, size_t nodes_living) {
  return shard_count / nodes_living + (rank < shard_count % nodes_living ? 1 : 0);
}

/// PERSISTENCE PORT. The tables `nodes` and `shards`. The database's clock is the only one that counts.
/// Throws `journal_unavailable` when the database cannot be asked.
class leases {
public:
  virtual ~leases() = default;

  /// Makes the node known, with a heartbeat now. A node that joins again under its id changes what it says of itself,
  /// but `draining`. Throws `join_refused` when it has a gate, and a living node with a gate speaks no version of the
  /// wire's protocol that it speaks.
  /// `follows` is the node that this process was before, if it was one: that node is forgotten in the same moment, its
  /// shards are anybody's, and what was said of it (`set_draining`) goes for the new one, in the place of what `node`
  /// says.
  virtual void
  join(const node_record& node, std::chrono::milliseconds lease, const std::optional<uuid>& follows = std::nullopt) = 0;

  /// Renews the node's heartbeat, also when its lease had run out and nobody took its shards in the meantime. False
  /// when the node is no longer known: it must join anew. The figures are kept as they are.
  virtual bool heartbeat(const uuid& node, const node_figures& figures) = 0;

  /// What this node's part is now. Locks nothing and waits for nobody.
  virtual shard_share share(const uuid& node) = 0;

  /// All nodes that are not forgotten, and their shards, at one moment. Locks nothing and waits for nobody.
  virtual cluster_view view() = 0;

  /// Says that the node is to hold no shards as long as others can, or that it may again. Nodes heed it with their next
  /// heartbeats. False when the node is not known.
  virtual bool set_draining(const uuid& node, bool draining) = 0;

  /// Takes at most `shards_max` shards that nobody owns or whose owner's lease has run out by the database's clock; the
  /// transaction that takes a shard raises its epoch. `sole` says that no other node can be alive (the caller holds the
  /// database's directory) and takes shards whatever their owner's heartbeat. Answers what was taken now; nothing when
  /// the node's own lease has run out.
  virtual std::vector<shard_lease> take(const uuid& node, size_t shards_max, bool sole) = 0;

  /// What the node owns.
  virtual std::vector<shard_lease> owned(const uuid& node) = 0;

  /// Gives up those of `shards` that the node still owns under the same epoch, and leaves all others alone. Answers how
  /// many that were. Afterwards none of them is the node's.
  virtual size_t release(const uuid& node, const std::vector<shard_lease>& shards) = 0;

  /// Forgets the nodes whose lease ran out longer than `age` ago; shards they still have are anybody's. Answers how
  /// many.
  virtual size_t forget_expired(std::chrono::milliseconds age) = 0;

  /// Gives up everything the node owns and forgets the node, so that others need not wait for its lease to run out.
  virtual void leave(const uuid& node) = 0;

  /// The versions of workflows that unfinished runs have, as their rows say.
  virtual std::vector<workflow_version> unfinished_workflows() = 0;

  /// Reserves a block of run numbers: answers the first of `count` numbers that nobody else gets.
  virtual int64_t reserve_run_numbers(int64_t count) = 0;

  /// Gives the numbers from `first` to before `end` back, which nobody has used: they are the next to be reserved.
  /// False when others have been reserved since; then they are left out.
  virtual bool give_back_run_numbers(int64_t first, int64_t end) = 0;
};

} // namespace levain
