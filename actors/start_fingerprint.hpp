#pragma once

#include <string>

#include "actors/messages.hpp"

namespace levain {

/// What a start is known by under its idempotency key: the request as the caller sent it. Two starts with one key are
/// the same start when their fingerprints (SHA-256, in hex, of workflow, type, priority, input and metadata) are equal
/// and a version that was named is the one that the run has. What the server or a client fills in by itself is no part
/// of it: which version was the newest, and who triggered the start.
start_key start_key_of(const start_request& request);

} // namespace levain
