#pragma once

#include <cstdint>

#include <caf/allowed_unsafe_message_type.hpp>

// What the desk's actor hears of the desk; it cannot come over a wire.

namespace levain {

/// DESK to its actor: there is something to send.
struct words_wait {};

/// INTERNAL to the desk's actor: a call may have been silent for too long.
struct listen_for_silence {
  /// Which timer it is; those that were set before it are too late.
  uint64_t timer = 0;
};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::words_wait)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::listen_for_silence)
