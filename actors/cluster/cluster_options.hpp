#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "actors/cluster/wire_address.hpp"
#include "actors/cluster/wire_pace.hpp"
#include "actors/cluster/wire_security.hpp"
#include "persistence/timestamp.hpp"

namespace levain {

/// How requests find the node that serves them.
struct router_options {
  /// How long a wish waits for a shard that is changing hands, and for another node's answer.
  duration route_time_max = std::chrono::seconds(5);
  /// Between two tries to find a run's owner. Not a setting of the daemon.
  duration route_interval = std::chrono::milliseconds(200);
  /// A start goes to the node with the most free slots when that has so many more than the one that was asked.
  uint64_t imbalance_max = 1'000;
  /// Requests of callers that are on their way to other nodes; further ones are refused.
  size_t routed_max = 20'000;
};

/// A node's gate for other nodes and for workers. A node without is alone, or shares its database without speaking to
/// the others.
struct cluster_options {
  /// Where it listens; port 0 lets the system choose. Nothing is open when it is absent.
  std::optional<wire_address> listen;
  /// Where others find it; by default where it listens.
  std::optional<wire_address> advertise;
  wire_security security;
  wire_pace pace;
  /// For a connection to another node, and for its answer to the hello.
  std::chrono::milliseconds connect_time_max{3'000};
  router_options router;
};

} // namespace levain
