#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include "actors/cluster/cluster_options.hpp"
#include "actors/cluster/gate_messages.hpp"
#include "actors/cluster/wire_facing_actor.hpp"

namespace levain {

/// Where the gate reaches its engine. Any thread; none of them blocks.
struct engine_doors {
  /// Serves what another node asks.
  std::function<void(peer_request, receiver<peer_answer>)> serve;
  /// A node's connection was lost: look whether its lease runs out.
  std::function<void()> peer_died;
  /// Another node released shards.
  std::function<void()> shards_freed;
  /// The gate has died.
  std::function<void(const caf::error&)> died;
  /// Greets workers, and hears of the nodes: see `worker_desk_actor`.
  caf::actor workers;
};

/// What a gate needs to begin.
struct gate_beginning {
  cluster_options options;
  std::string name;
  engine_doors doors;
};

/// The one actor that a node opens to the wire. Connects with the other nodes that the database lists, the younger with
/// the older, so that two nodes have one connection; hands on what they ask, and what is asked of them. Whoever sends
/// what no program of ours sends is cut off.
struct gate_state {
  static inline const char* name = "gate";

  explicit gate_state(caf::event_based_actor* self);

  void begin(gate_beginning how);
  void bound(const gate_bound& x) { address_ = x.address; }
  void know(const cluster_known& x);
  void greet(node_hello& x, const caf::strong_actor_ptr& from, caf::response_promise promise);
  template <class Request>
  void serve(Request& x, const caf::strong_actor_ptr& from, caf::response_promise promise);
  void served(peer_served& x);
  void ask(ask_peer& x);
  void shards_freed_by(const shards_freed& x);
  void tell_all();
  void lost(const caf::down_msg& down);
  /// Logs, answers nothing, and closes the connection.
  void refuse_nonsense(const caf::strong_actor_ptr& from, const std::string& fault);

private:
  struct peer {
    caf::actor gate;
    std::string name;
    std::string address;
    /// Under the id that this node has now.
    bool knows_this = false;
  };

  void connect(const node_view& node);
  void introduce(const uuid& node, const caf::actor& gate);
  void add_peer(const uuid& node, std::string name, std::string address, const caf::actor& gate);
  void connect_failed(const uuid& node, const std::string& why);
  const uuid* peer_at(const caf::strong_actor_ptr& who) const;
  /// True for the program of a node whose connection was lost a moment ago: it may not have noticed yet.
  bool was_peer(const caf::strong_actor_ptr& who);
  /// The other side does not know this node any more: it is told anew who this is.
  void introduce_again(const uuid& node);
  const node_view* view_of(const uuid& node) const;
  bool is_banned(const uuid& node);

  caf::event_based_actor* self_;
  gate_beginning with_;
  /// Where others find it.
  std::string address_;
  std::shared_ptr<const cluster_view> view_;
  uuid node_;
  std::map<uuid, peer> peers_;
  std::unordered_map<caf::actor_addr, uuid> by_gate_;
  /// Connections on their way.
  std::map<uuid, std::string> connecting_;
  /// Why the last try failed: said once, not with every heartbeat.
  std::map<uuid, std::string> failures_;
  /// Nodes that sent nonsense, until when nothing is asked of them.
  std::map<uuid, std::chrono::steady_clock::time_point> banned_;
  /// Programs whose connections were lost, until when they count as honest nodes that have not noticed.
  std::map<caf::node_id, std::chrono::steady_clock::time_point> former_;
  std::map<uint64_t, caf::response_promise> serving_;
  uint64_t serving_number_ = 0;
};

caf::behavior gate(caf::stateful_actor<gate_state, wire_facing_actor>* self, gate_beginning how);

} // namespace levain
