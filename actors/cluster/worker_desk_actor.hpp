#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include "actors/cluster/worker_desk.hpp"
#include "actors/cluster/worker_desk_messages.hpp"

namespace levain {

struct worker_desk_state {
  static inline const char* name = "worker_desk";

  explicit worker_desk_state(caf::event_based_actor* self);
  /// Nobody speaks with workers any more.
  ~worker_desk_state();

  void begin(std::shared_ptr<worker_desk> desk);
  void admit(admit_worker& x);
  void tell_all(const gates_known& x);
  /// A word from a worker; whoever says what no worker says is cut off.
  template <class Word>
  void hear(const Word& x);
  void gone(const caf::actor_addr& who);
  void send_words();
  void listen(const listen_for_silence& x);
  void cut_off_sender(const std::string& reason);

private:
  using seat = worker_desk::seat;

  void unseat(const caf::actor_addr& who);

  caf::event_based_actor* self_;
  std::shared_ptr<worker_desk> desk_;
  std::map<caf::actor_addr, seat> seats_;
  std::map<seat, caf::actor> workers_;
  std::optional<timestamp> armed_;
  uint64_t timer_ = 0;
};

/// DESK. Speaks with the workers for `desk`, which is closed when the actor ends. Lives in the wire's actor system.
/// Takes from its own process:
///   `admit_worker`, delegated by the gate: answered with `worker_welcome` or `wire_refused`;
///   `tell_workers` from the gate;
///   and from workers it has admitted: `call_begun`, `call_declined`, `room_made`, `call_heartbeat`, `call_ended`,
///   `calls_held`, `worker_leaving`.
caf::behavior worker_desk_actor(caf::stateful_actor<worker_desk_state>* self, std::shared_ptr<worker_desk> desk);

} // namespace levain
