#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>

#include "actors/cluster/cluster_options.hpp"
#include "actors/cluster/router_messages.hpp"
#include "actors/interfaces.hpp"

namespace levain {

/// ROUTER. Any node takes any request; this finds the one that serves it. Only in nodes that speak to others.
using router_actor = caf::typed_actor<
  // From callers of this node.
  caf::reacts_to<start_run>, caf::reacts_to<change_run>, caf::reacts_to<explain_run>,
  // From another node.
  caf::reacts_to<peer_asked>,
  // With every heartbeat.
  caf::reacts_to<cluster_known>,
  // INTERNAL: an answer came; a start was refused here; it is time to try again.
  caf::reacts_to<wish_answered>, caf::reacts_to<start_elsewhere>, caf::reacts_to<wake>>;

/// What a router needs to begin.
struct router_beginning {
  std::function<timestamp()> now;
  timekeeper_actor timekeeper;
  dispatcher_actor dispatcher;
  definitions_actor definitions;
  std::shared_ptr<peer_links> links;
  router_options options;
};

/// What it knows of who owns what may be old: whoever is asked checks it, and a wish that finds nobody is tried again
/// until its time is over.
struct router_state {
  static inline const char* name = "router";

  explicit router_state(router_actor::pointer self);
  /// Wishes that are on their way are answered.
  ~router_state();

  void begin(router_beginning how);
  void know(const cluster_known& x);
  void start(start_run& x);
  void change(change_run& x);
  void answered(wish_answered& x);
  void start_not_here(start_elsewhere& x);
  void explain(explain_run& x);
  void serve(peer_asked& x);
  void woken();

private:
  struct routed_wish {
    change_run asked;
    timestamp until{};
    /// When it is tried again; absent while somebody is asked.
    std::optional<timestamp> again;
    /// What it is refused with when its time is over.
    wish_refused refusal;
  };

  /// Another node that lives and owns the run, as far as is known.
  const node_view* owner_of(const run_id& run) const;
  const node_view* roomiest_peer() const;
  /// A clock that was set back lets nobody wait for it.
  void follow_clock();
  void try_wish(uint64_t number, routed_wish& routed);
  void try_later_or_refuse(uint64_t number);
  void refuse(uint64_t number);
  void start_here_first(start_run& x, const uuid& other);
  void start_there(const uuid& node, const std::shared_ptr<routed_start>& x, std::optional<start_refused> why_not_here);
  bool may_send() const { return on_their_way_->load() < with_.options.routed_max; }
  /// Counts a request from now until the last copy of this goes.
  std::shared_ptr<void> on_its_way();
  void ask_there(const node_view& owner, uint64_t number, const change_run& asked, timestamp until);
  void ask_here(uint64_t number, const change_run& asked);
  void serve_start(const wire_start& x, receiver<peer_answer> outcome);

  router_actor::pointer self_;
  router_beginning with_;
  std::shared_ptr<const cluster_view> view_;
  uuid node_;
  /// Starts since the view was read, by node.
  std::map<uuid, uint64_t> started_;
  /// Starts and explanations that other nodes were asked for; links count it down on their threads.
  std::shared_ptr<std::atomic<size_t>> on_their_way_ = std::make_shared<std::atomic<size_t>>(0);
  std::map<uint64_t, routed_wish> wishes_;
  uint64_t wish_number_ = 0;
};

router_actor::behavior_type router(router_actor::stateful_pointer<router_state> self, router_beginning how);

} // namespace levain
