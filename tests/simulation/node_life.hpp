#pragma once

#include <functional>
#include <memory>

#include <caf/send.hpp>

#include "actors/cluster/router.hpp"
#include "actors/cluster/worker_desk.hpp"
#include "actors/interfaces.hpp"
#include "actors/node_environment.hpp"
#include "actors/persistence.hpp"
#include "actors/workflow_cache.hpp"
#include "tests/simulation/ground.hpp"
#include "tests/simulation/links.hpp"
#include "tests/simulation/services.hpp"
#include "tests/simulation/simulated_process.hpp"
#include "tests/simulation/worker_wire.hpp"

namespace levain::simulation {

/// Where callers of a node come in: its router, or its dispatcher where it has none.
struct node_entrance {
  router_actor route;
  dispatcher_actor dispatch;

  template <class Ask>
  void operator()(Ask what) const {
    if (route)
      caf::anon_send(route, std::move(what));
    else
      caf::anon_send(dispatch, std::move(what));
  }
};

/// What a node of a world is joined to.
struct node_surroundings {
  services& calls;
  links& others;
  worker_wire& workers;
};

/// One life of a node: the engine's actors, wired as `node` wires them.
class node_life : public simulated_process {
public:
  node_life(ground& under, const node_surroundings& around, place who);
  /// The process is gone: nothing it says any more reaches anybody.
  ~node_life() override;

  node_entrance entrance() const { return {route_, dispatch_}; }
  const definitions_actor& definition() const { return definition_; }

  /// The calls that wait for something that this node is without.
  size_t wanting() const;

  /// Says through this node that any node is to hold no shards, or that it may again.
  void drain(const uuid& node, bool draining, receiver<std::variant<bool, std::string>> outcome);
  /// Ends in order, as `node::stop` does, and with `hands_over` lets others have its shards first; `ended` is told when
  /// the process is at its end.
  void stop(bool hands_over, std::function<void()> ended);

private:
  bool lacks(lack_kind what) const;
  bool is_held(caf::actor_id who) const override;
  void hears(const caf::mailbox_element& x) override;
  timestamp local_now() const { return under_.now + state_->skew; }
  void watch(const caf::actor& core, const char* name);
  void kill_all();
  void speak_to_others(const environment_ptr& environment);
  void speak_to_workers();
  void close_gate();

  node_surroundings around_;
  chance entropy_;
  std::shared_ptr<node_environment> environment_;
  lease_keeper_actor lease_keeper_;
  dispatcher_actor dispatch_;
  definitions_actor definition_;
  /// Null where the node speaks to no other.
  router_actor route_;
  /// Null where the node speaks to no workers.
  std::shared_ptr<worker_desk> desk_;
  caf::actor desk_actor_;
  watchdog_actor watchdog_;
  std::shared_ptr<liveness_log> liveness_ = std::make_shared<liveness_log>();
  std::vector<std::pair<held_actor, caf::actor_id>> holdable_;
};

} // namespace levain::simulation
