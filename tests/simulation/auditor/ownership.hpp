#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/auditor/violation.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

std::string to_string(const place& x);

/// Who lives, who owns which shard under which epoch, and since when.
class ownership {
public:
  struct fault {
    rule broken;
    std::string text;
  };

  void changed(const process_changed& x);
  std::optional<fault> owned(const shard_owned& x);
  void freed(const shard_freed& x);
  void renewed(const lease_renewed& x);
  void marked(const node_marked& x);
  /// What is wrong with who owns what when faults have stopped long ago.
  std::vector<fault> finish(timestamp at) const;

  bool lives(const place& who) const;
  /// Its clock jumped at this time or later.
  bool clock_moved(const place& who, timestamp since) const;
  /// Nobody owns the shard under a newer epoch, whether it was given back or not.
  bool may_write(const place& who, shard_number shard, epoch_number epoch) const;
  bool is_owner(const place& who, shard_number shard) const;
  /// The epoch the shard has now; 0 before its first owner.
  epoch_number epoch(shard_number shard) const { return shards_.at(shard).epoch; }
  /// How often `who` came to own the shard, not counting what it had lost by `since`.
  size_t ownerships(const place& who, shard_number shard, timestamp since) const;

private:
  struct period {
    place who;
    timestamp from{};
    /// When the next owner came.
    std::optional<timestamp> until;
  };
  struct shard_ledger {
    epoch_number epoch = 0;
    /// Under which id the owner took it.
    uuid node;
    /// It was given back, or never had an owner.
    bool free = true;
    std::vector<period> periods;
  };

  std::array<shard_ledger, shard_count> shards_;
  /// The living life of each node.
  std::map<int, int> lives_;
  std::map<uuid, timestamp> leased_until_;
  /// Under which id each process renewed its lease last.
  std::map<place, uuid> renews_as_;
  std::map<uuid, bool> draining_;
  std::map<place, timestamp> clock_moved_;
};

} // namespace levain::simulation
