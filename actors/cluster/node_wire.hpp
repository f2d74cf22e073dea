#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/cluster/cluster_wire.hpp"
#include "actors/cluster/router.hpp"
#include "actors/cluster/worker_desk.hpp"
#include "actors/node_options.hpp"

namespace levain {

/// What a node with a gate has beside a node without: the wire, the router, and the desk of the workers, joined to the
/// engine's actors. Made before them, opened after them, stopped before them.
class node_wire {
public:
  /// Throws as `cluster_wire` does.
  node_wire(const cluster_options& options, const std::string& name, const std::function<timestamp()>& now);
  ~node_wire();
  node_wire(const node_wire&) = delete;
  node_wire& operator=(const node_wire&) = delete;

  /// As `cluster_wire::check_peers`.
  void check_peers(const cluster_view& view) { wire_->check_peers(view); }

  /// The engine's actors that it is joined to.
  struct engine {
    caf::actor_system* system = nullptr;
    timekeeper_actor timekeeper;
    dispatcher_actor dispatcher;
    definitions_actor definitions;
    lease_keeper_actor lease_keeper;
    /// A part of the wire has died. Any thread.
    std::function<void(const std::string&)> died;
  };
  /// Spawns the router and lets nodes and workers in. Throws `std::runtime_error` when the address cannot be bound.
  void open(engine with);

  const std::shared_ptr<worker_desk>& workers() const { return desk_; }
  /// Takes what callers ask; valid once it is open.
  const router_actor& router() const { return router_; }
  /// What the database says, and which node this one is. Any thread.
  void know(const cluster_view& view, const uuid& self);
  /// This node has released shards. Any thread.
  void released();

  void stop();

private:
  std::function<timestamp()> now_;
  std::string name_;
  router_options routing_;
  std::shared_ptr<cluster_wire> wire_;
  std::shared_ptr<worker_desk> desk_;
  caf::actor desk_actor_;
  router_actor router_;
};

} // namespace levain
