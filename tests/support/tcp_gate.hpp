#pragma once

#include <cstdint>
#include <string>

#include "tests/support/socket_gate.hpp"

namespace levain::test {

/// A port of loopback that nobody listens on at this moment.
uint16_t free_port();

/// A gate in front of a server on 127.0.0.1. Listens on a port of its own there.
class tcp_gate : public socket_gate {
public:
  /// A gate in front of `server_port`, which may be opened later.
  explicit tcp_gate(uint16_t server_port);

  /// HOST:PORT.
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
  tcp_gate(int listener, uint16_t server_port);

  uint16_t port_;
};

} // namespace levain::test
