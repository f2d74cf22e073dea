#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "persistence/ids.hpp"

// What the database knows of the nodes that share it: the only directory they have.

namespace levain {

/// Of what a node says that it lacks.
inline constexpr size_t node_lacks_bytes_max = 500;

/// What a node says of itself with every heartbeat.
struct node_figures {
  uint64_t runs_live = 0;
  /// Of these, runs that wait for a slot.
  uint64_t runs_waiting = 0;
  /// Runs that could begin at once.
  uint64_t slots_free = 0;
  /// Runs that ended here, per second since the heartbeat before.
  double runs_ended_per_second = 0;
  /// How long the oldest append has been waiting for the database, in milliseconds.
  uint64_t append_wait_ms = 0;
  /// Workers that are connected.
  uint64_t workers = 0;
  /// What it lacks that unfinished runs need, in words; empty when it lacks nothing. Such a node holds no shards as
  /// long as others can. At most `node_lacks_bytes_max` long.
  std::string lacks = {};
  bool operator==(const node_figures&) const = default;
};

/// A node as the tables have it, by the database's clock.
struct node_view {
  uuid id;
  std::string name;
  /// URL of its HTTP interface; empty when it has none.
  std::string address;
  /// HOST:PORT of its gate for nodes and workers; empty when it has none.
  std::string cluster_address;
  std::string version;
  uint32_t protocol_min = 0;
  uint32_t protocol_max = 0;
  /// The newest migration that it knows.
  int32_t schema_version = 0;
  /// It is to hold no shards.
  bool draining = false;
  /// Its lease has not run out.
  bool alive = false;
  size_t shards = 0;
  /// Since its last heartbeat.
  std::chrono::milliseconds silent{};
  /// Since it joined.
  std::chrono::milliseconds age{};
  node_figures figures;
  bool operator==(const node_view&) const = default;
};

/// All nodes, the oldest first, and who owns which shard.
struct cluster_view {
  std::vector<node_view> nodes;
  /// By shard number, one of `nodes`; nothing where nobody owns it or its owner is forgotten.
  std::array<std::optional<uuid>, shard_count> owners{};
  bool operator==(const cluster_view&) const = default;
};

} // namespace levain
