#pragma once

#include <chrono>
#include <string>

#include "actors/cluster/wire_security.hpp"

namespace levain::test {

/// What became of a TLS connection.
struct tls_greeting {
  /// What the server said first.
  std::string bytes;
  /// Why it said nothing, in OpenSSL's words.
  std::string error;
};

/// Connects with HOST:PORT, and waits for the server to speak. Shows the certificate of `files` where it is named, and
/// wants the server's to be of their CA.
tls_greeting greeting_over_tls(const std::string& address, const wire_security& files, std::chrono::milliseconds limit);

} // namespace levain::test
