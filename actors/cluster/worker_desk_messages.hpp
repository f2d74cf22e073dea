#pragma once

#include <cstdint>

#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/cluster/wire_messages.hpp"

// What the desk's actor hears from its own process. None of these can come over a wire.

namespace levain {

/// GATE to the desk, delegated, so that the sender is the worker and has the answer: this worker may join. Answered
/// with `welcome`, or `wire_refused`.
struct admit_worker {
  worker_hello hello;
  worker_welcome welcome;
};

/// GATE to the desk: tell all workers.
struct tell_workers {
  gates_known gates;
};

/// DESK to its actor: there is something to send.
struct words_wait {};

/// INTERNAL to the desk's actor: a call may have been silent for too long.
struct listen_for_silence {
  /// Which timer it is; those that were set before it are too late.
  uint64_t timer = 0;
};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::admit_worker)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::tell_workers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::words_wait)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::listen_for_silence)
