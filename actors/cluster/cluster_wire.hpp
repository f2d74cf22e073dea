#pragma once

#include <memory>
#include <string>

#include "actors/cluster/gate.hpp"
#include "actors/cluster/peer_links.hpp"

namespace levain {

/// The wire of one node: an actor system beside the engine's, with the node's gate in it. What an engine keeps cannot
/// be reached from outside but through what this hands on. All members but the constructor and `stop` are for any
/// thread.
class cluster_wire : public peer_links {
public:
  /// Throws `bad_certificates`, or `std::runtime_error` when the address cannot be bound. Nobody is let in yet.
  cluster_wire(const cluster_options& options, std::string name);
  /// Stops as `stop` does.
  ~cluster_wire() override;
  cluster_wire(const cluster_wire&) = delete;
  cluster_wire& operator=(const cluster_wire&) = delete;

  /// For actors that speak to workers.
  caf::actor_system& system();

  /// Before this node joins: throws `std::runtime_error` when living nodes with gates are listed, none of them was
  /// reached, and at least one of them and this node do not trust or understand each other. Blocks.
  void check_peers(const cluster_view& view);

  /// Lets others in. Once. Throws `std::runtime_error` when the address cannot be bound.
  void open(engine_doors doors);
  /// HOST:PORT where others find the gate; known once it is open.
  std::string address() const;

  /// What the database says, with every heartbeat.
  void know(cluster_known x);
  void ask(const uuid& node, peer_request request, duration time_max, receiver<peer_answer> outcome) override;
  /// This node has released shards.
  void tell_shards_freed_to_all();

  /// Closes the gate and every connection. Idempotent.
  void stop();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
