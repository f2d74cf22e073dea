#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include "actors/cluster/call_feed.hpp"
#include "actors/cluster/router_messages.hpp"
#include "actors/cluster/wire_facing_actor.hpp"
#include "actors/cluster/worker_desk.hpp"
#include "actors/cluster/worker_desk_messages.hpp"

namespace levain {

struct worker_desk_state {
  static inline const char* name = "worker_desk";

  explicit worker_desk_state(caf::event_based_actor* self);
  /// Nobody speaks with workers any more.
  ~worker_desk_state();

  void begin(std::shared_ptr<worker_desk> desk, std::string name);
  /// What the database says of the nodes: workers are told where their gates are.
  void know(const cluster_known& x);
  void greet(const worker_hello& x);
  /// A word from a worker; whoever says what no worker says is cut off.
  template <class Word>
  void hear(const Word& x);
  void hear_declined(const call_declined& x);
  void hear_part_taken(const call_part_taken& x);
  void gone(const caf::actor_addr& who);
  void send_words();
  void listen(const listen_for_silence& x);
  void cut_off_sender(const std::string& reason);

private:
  using seat = worker_desk::seat;

  /// Where words to a worker go, and how.
  struct line_out {
    caf::actor worker;
    /// What both speak.
    uint32_t protocol = 0;
    call_feed feed = {};
  };

  void send_cancelled(const line_out& to, const call_cancelled& x);
  void seat_at(const caf::actor_addr& who, seat number, line_out to);
  void send_call(line_out& to, call_given given);
  /// As many parts of large calls as may be on their way.
  void send_parts(line_out& to);
  /// What another worker has to go on with, or nobody knows the outcome of.
  void log_lost_runs(worker_desk::seat who) const;
  void unseat(const caf::actor_addr& who);

  caf::event_based_actor* self_;
  std::shared_ptr<worker_desk> desk_;
  /// Of this node.
  std::string name_;
  uuid node_;
  /// HOST:PORT of the gates of all living nodes.
  std::vector<std::string> gates_;
  std::map<caf::actor_addr, seat> seats_;
  std::map<seat, line_out> workers_;
  std::optional<timestamp> armed_;
  uint64_t timer_ = 0;
};

/// DESK. Speaks with the workers for `desk`, which is closed when the actor ends. Lives in the wire's actor system;
/// ends when this process asks it to (`close_wire`), or when the desk is closed and nobody holds the actor.
///   `worker_hello`, delegated by the gate so that the sender is the worker: answered with `worker_welcome` or
///   `wire_refused`. The worker is monitored from then on, and gets its calls from this actor.
///   `cluster_known` from its own process, with every heartbeat.
///   From workers that were welcomed: `call_begun`, `call_declined`, `call_part_taken`, `room_made`, `call_heartbeat`,
///   `call_ended`, `calls_held`, `worker_leaving`.
/// `name` is the node's, for people.
caf::behavior worker_desk_actor(
  caf::stateful_actor<worker_desk_state, wire_facing_actor>* self, std::shared_ptr<worker_desk> desk, std::string name);

} // namespace levain
