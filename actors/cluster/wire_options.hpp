#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

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

/// Where a gate is.
struct wire_address {
  std::string host;
  uint16_t port = 0;
  auto operator<=>(const wire_address&) const = default;
};

/// Reads HOST:PORT or [HOST]:PORT with a port from 1 to 65535; nothing else.
std::optional<wire_address> parse_wire_address(const std::string& text);
std::string to_string(const wire_address& address);

/// The address, and not a name that stands for one, of this machine alone: 127.0.0.0/8 or ::1.
bool is_loopback(const wire_address& address);

} // namespace levain
