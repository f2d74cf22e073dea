#pragma once

#include <chrono>
#include <string>
#include <variant>

#include "actors/cluster/wire_address.hpp"

namespace levain {

/// Nobody takes a connection, in a sentence without the address.
struct nobody_answers {
  std::string why;
};

/// Blocks until somebody takes a TCP connection at this address, which is closed again, or `limit` is over (names are
/// looked up within the limits of the system's resolver). Answers the address with its host as a number.
std::variant<wire_address, nobody_answers> probe(const wire_address& at, std::chrono::milliseconds limit);

} // namespace levain
