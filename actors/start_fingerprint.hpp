#pragma once

#include <string>

#include "actors/messages.hpp"

namespace levain {

/// SHA-256, in hex, of what a start asks for (workflow and version, type, priority, trigger, input, metadata): two
/// starts with one idempotency key are the same start exactly when their fingerprints are equal.
std::string start_fingerprint(const start_request& request);

} // namespace levain
