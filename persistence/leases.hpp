#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "persistence/ids.hpp"

namespace levain {

/// Who a daemon is, as the table `nodes` has it. A daemon that was fenced comes back under a new id.
struct node_record {
  uuid id;
  /// For people: host name and process, or what the operator chose; at most 100 characters.
  std::string name;
  std::string address;
  std::string version;
};

/// A shard this node owns, and under which epoch.
struct shard_lease {
  shard_number shard = 0;
  epoch_number epoch = 0;
  bool operator==(const shard_lease&) const = default;
};

/// PERSISTENCE PORT. The tables `nodes` and `shards`. The database's clock is the only one that counts.
/// Throws `journal_unavailable` when the database cannot be asked.
class leases {
public:
  virtual ~leases() = default;

  /// Makes the node known, with a heartbeat now.
  virtual void join(const node_record& node, std::chrono::milliseconds lease) = 0;

  /// Renews the node's heartbeat, also when its lease had run out and nobody took its shards in the meantime. False
  /// when the node is no longer known: it must join anew.
  virtual bool heartbeat(const uuid& node) = 0;

  /// Takes, in one transaction that raises their epochs, at most `shards_max` shards that nobody owns or whose owner's
  /// lease has run out by the database's clock. `sole` says that no other node can be alive (the caller holds the
  /// database's directory) and takes shards whatever their owner's heartbeat. Answers what was taken now.
  virtual std::vector<shard_lease> take(const uuid& node, size_t shards_max, bool sole) = 0;

  /// What the node owns.
  virtual std::vector<shard_lease> owned(const uuid& node) = 0;

  /// Gives up everything the node owns and forgets the node, so that others need not wait for its lease to run out.
  virtual void leave(const uuid& node) = 0;

  /// Reserves a block of run numbers: answers the first of `count` numbers that nobody else gets.
  virtual int64_t reserve_run_numbers(int64_t count) = 0;
};

} // namespace levain
