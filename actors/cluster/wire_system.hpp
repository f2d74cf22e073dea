#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <caf/actor.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include "actors/cluster/wire_address.hpp"
#include "actors/cluster/wire_certificates.hpp"
#include "actors/cluster/wire_pace.hpp"
#include "actors/cluster/wire_security.hpp"

namespace levain {

/// A config of an actor system that speaks over the wire: middleman, TLS where it is on, our messages, few threads. Its
/// actors are no engine's: nothing of an engine can be reached from outside but through the gate.
class wire_config : public caf::actor_system_config {
public:
  /// Throws as `wire_certificates` does.
  wire_config(const wire_security& security, const wire_pace& pace);

private:
  wire_certificates certificates_;
};

/// Takes CAF's own servants out of the sight of other programs, which may otherwise find them by name, let them make
/// actors, and read and write what they know. Before anybody can connect.
void hide_servants(caf::actor_system& system);

/// Opens `gate` to whoever connects to this address; port 0 lets the system choose. Answers the port. Throws
/// `std::runtime_error` that names the address when it cannot be bound.
uint16_t open_gate(const caf::actor& gate, const wire_address& at);

/// Connects without waiting; `connected` or `failed` (with a sentence) is called in `self`'s turn, within `time_max`.
void connect_to_gate(
  caf::event_based_actor* self, const wire_address& at, std::chrono::milliseconds time_max,
  std::function<void(caf::actor)> connected, std::function<void(std::string)> failed);

} // namespace levain
