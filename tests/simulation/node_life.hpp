#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include "actors/cluster/router.hpp"
#include "actors/interfaces.hpp"
#include "actors/node_environment.hpp"
#include "actors/persistence.hpp"
#include "actors/workflow_cache.hpp"
#include "tests/simulation/ground.hpp"
#include "tests/simulation/links.hpp"
#include "tests/simulation/services.hpp"

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

/// One life of a node: the engine's actors, wired as `node` wires them, on a scheduler and a clock of their own. A
/// message is handled and a timer runs out only when the world says so.
class node_life {
public:
  node_life(ground& under, services& calls, links& others, place who);
  /// The process is gone: nothing it says any more reaches anybody.
  ~node_life();
  node_life(const node_life&) = delete;
  node_life& operator=(const node_life&) = delete;

  const life_ptr& state() const { return state_; }
  node_entrance entrance() const { return {route_, dispatch_}; }
  const definitions_actor& definition() const { return definition_; }

  /// The messages that could be handled next, as places in the scheduler's queue, added to `places`. Actors that the
  /// plan holds are passed over.
  void add_runnable(std::vector<std::pair<node_life*, size_t>>& into);
  /// Handles one message of the actor at this place.
  void run(size_t job);
  /// Which actor is at this place.
  caf::actor_id actor_at(size_t job) const;

  /// When the next timer runs out, in true time.
  std::optional<timestamp> next_timer() const;
  /// Timers that ran out by now become messages.
  void follow_time();

  /// Says through this node that any node is to hold no shards, or that it may again.
  void drain(const uuid& node, bool draining, receiver<std::variant<bool, std::string>> outcome);
  /// Ends in order, as `node::stop` does, and with `hands_over` lets others have its shards first; `ended` is told when
  /// the process is at its end.
  void stop(bool hands_over, std::function<void()> ended);

private:
  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  timestamp local_now() const { return under_.now + state_->skew; }
  void watch(const caf::actor& core, const char* name);
  void kill_all();
  void speak_to_others(const environment_ptr& environment);

  ground& under_;
  services& calls_;
  links& others_;
  life_ptr state_;
  chance entropy_;
  config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  timestamp followed_;
  std::shared_ptr<node_environment> environment_;
  lease_keeper_actor lease_keeper_;
  dispatcher_actor dispatch_;
  definitions_actor definition_;
  /// Null where the node speaks to no other.
  router_actor route_;
  watchdog_actor watchdog_;
  std::shared_ptr<liveness_log> liveness_ = std::make_shared<liveness_log>();
  std::vector<std::pair<held_actor, caf::actor_id>> holdable_;
};

} // namespace levain::simulation
