#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace levain {

/// Where somebody listens.
struct wire_address {
  std::string host;
  uint16_t port = 0;
  auto operator<=>(const wire_address&) const = default;
};

/// Reads HOST:PORT or [HOST]:PORT with a port from 0 (the system chooses) to 65535; nothing else.
std::optional<wire_address> parse_listen_address(const std::string& text);
/// As that, but with a port that one can connect to: from 1.
std::optional<wire_address> parse_wire_address(const std::string& text);
std::string to_string(const wire_address& address);

/// The address, and not a name that stands for one, of this machine alone: 127.0.0.0/8 or ::1.
bool is_loopback(const wire_address& address);
/// 0.0.0.0 or ::, which stand for all addresses of a machine: one can listen there, and nobody can connect.
bool is_any_address(const wire_address& address);

} // namespace levain
