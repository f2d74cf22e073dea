#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include <caf/actor.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include "actors/cluster/wire_options.hpp"

namespace levain {

/// The files of a `wire_security` do not belong together or cannot be read; the text names file and reason.
class bad_certificates : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Throws `bad_certificates` unless all three files are there, the key is the certificate's, the CA has signed it, and
/// it is valid now; or none of them is named.
void check_security(const wire_security& security);

/// A config of an actor system that speaks over the wire: middleman, TLS where it is on, our messages, few threads. Its
/// actors are no engine's: nothing of an engine can be reached from outside but through the gate.
class wire_config : public caf::actor_system_config {
public:
  /// Throws as `check_security` does.
  wire_config(const wire_security& security, const wire_pace& pace);
};

/// Opens `gate` to whoever connects to this address; port 0 lets the system choose. Answers the port. Throws
/// `std::runtime_error` that names the address when it cannot be bound.
uint16_t open_gate(const caf::actor& gate, const wire_address& at);

/// Connects without waiting; `connected` or `failed` (with a sentence) is called in `self`'s turn, within `time_max`.
void connect_to_gate(
  caf::event_based_actor* self, const wire_address& at, std::chrono::milliseconds time_max,
  std::function<void(caf::actor)> connected, std::function<void(std::string)> failed);

/// Closes the connection to the program that `peer` lives in: for those that send what no program of ours sends. Any
/// thread.
void cut_off(const caf::strong_actor_ptr& peer);

} // namespace levain
