#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include <caf/actor.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

namespace levain {

/// Who may talk to whom: with all three, both sides show a certificate of the same CA; with none, nothing is checked.
struct wire_security {
  /// PEM files: this program's certificate, its key, and the CA's certificate.
  std::string certificate;
  std::string key;
  std::string ca;
  bool is_on() const { return !certificate.empty(); }
};

/// How fast a silent peer is found out. CAF sends the heartbeats and says when a connection is given up.
struct wire_pace {
  std::chrono::milliseconds heartbeat{500};
  /// A peer that said nothing for so long is cut off; its actors are down then. At least twice `heartbeat`.
  std::chrono::milliseconds silence_max{2000};
  bool operator==(const wire_pace&) const = default;
};

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

/// Where a gate is.
struct wire_address {
  std::string host;
  uint16_t port = 0;
  auto operator<=>(const wire_address&) const = default;
};

/// Reads HOST:PORT or [HOST]:PORT with a port from 1 to 65535; nothing else.
std::optional<wire_address> parse_wire_address(const std::string& text);
std::string to_string(const wire_address& address);

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
