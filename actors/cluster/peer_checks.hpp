#pragma once

#include <optional>
#include <string>

#include "actors/cluster/wire_messages.hpp"

// What is wrong with a message that came from another node: a sentence that names the member, or nothing. No program of
// ours sends what has a fault, so whoever does is cut off.

namespace levain {

std::optional<std::string> fault_in(const node_hello& x);
std::optional<std::string> fault_in(const node_welcome& x);
std::optional<std::string> fault_in(const wire_change& x);
std::optional<std::string> fault_in(const wire_changed& x);
std::optional<std::string> fault_in(const wire_explain& x);
std::optional<std::string> fault_in(const wire_explained& x);
std::optional<std::string> fault_in(const wire_start& x);
std::optional<std::string> fault_in(const wire_started& x);

/// The newest protocol that both ranges hold; nothing when they do not overlap.
std::optional<uint32_t> protocol_of_both(uint32_t their_min, uint32_t their_max);

} // namespace levain
