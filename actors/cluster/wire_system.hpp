#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include "actors/cluster/wire_address.hpp"
#include "actors/cluster/wire_pace.hpp"
#include "actors/cluster/wire_security.hpp"

namespace levain {

class wire_proxy;

/// A config of an actor system that speaks over the wire: middleman, our messages, few threads, and what stands between
/// CAF and the network. Its actors are no engine's: nothing of an engine can be reached from outside but through the
/// gate.
class wire_config : public caf::actor_system_config {
public:
  /// Reads the certificates, which may be replaced afterwards. Throws `bad_certificates`.
  wire_config(const wire_security& security, const wire_pace& pace);
  /// With a proxy that has its own certificates.
  wire_config(std::unique_ptr<wire_proxy> proxy, const wire_pace& pace);
  ~wire_config() override;

  wire_proxy& proxy() const { return *proxy_; }

private:
  std::unique_ptr<wire_proxy> proxy_;
};

/// Takes CAF's own servants out of the sight of other programs, which may otherwise find them by name, let them make
/// actors, and read and write what they know. Before anybody can connect.
void hide_servants(caf::actor_system& system);

/// A program's name as it crosses the wire.
std::string name_of(const caf::node_id& node);

/// Opens `gate` to whoever connects to this address, as long as it lives; port 0 lets the system choose. Answers the
/// port. Once in a system. Throws `std::runtime_error` that names the address when it cannot be bound.
uint16_t open_gate(const caf::actor& gate, const wire_address& at);

/// Tries whether a gate and this program trust and understand each other. Blocks until `time_max` and what the other
/// side has to introduce itself are over at the latest. Answers why they do not, in a sentence about the other side
/// without a name; an empty text when they do; nothing when it cannot be said, because the gate was not reached.
std::optional<std::string>
distrust_of(caf::actor_system& system, const wire_address& at, std::chrono::milliseconds time_max);

/// Connects without waiting; `connected` or `failed` (with a sentence) is called in `self`'s turn, when `time_max` and
/// what the other side has to introduce itself are over at the latest.
void connect_to_gate(
  caf::event_based_actor* self, const wire_address& at, std::chrono::milliseconds time_max,
  std::function<void(caf::actor)> connected, std::function<void(std::string)> failed);

} // namespace levain
