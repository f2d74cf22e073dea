#pragma once

#include <optional>
#include <string>

#include "actors/cluster/wire_messages.hpp"

// What is wrong with a message from a worker: a sentence that names what it is about, the value, and what would have
// been right; nothing when it can be used. Only what the message shows by itself: whether a call is out, and with whom,
// the roster knows.

namespace levain {

std::optional<std::string> fault_in(const worker_hello& x);
std::optional<std::string> fault_in(const call_begun& x);
std::optional<std::string> fault_in(const call_declined& x);
std::optional<std::string> fault_in(const room_made& x);
std::optional<std::string> fault_in(const call_heartbeat& x);
std::optional<std::string> fault_in(const call_ended& x);
std::optional<std::string> fault_in(const calls_held& x);
std::optional<std::string> fault_in(const worker_leaving& x);

} // namespace levain
