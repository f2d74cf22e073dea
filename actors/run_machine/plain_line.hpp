#pragma once

#include <string>
#include <string_view>

#include "actors/run_machine/state.hpp"

namespace levain {

/// Text from outside made fit for an event: valid UTF-8 (what is not becomes U+FFFD), no control characters (they
/// become blanks, so it is one line), no blanks around it, at most `bytes_max` bytes, cut between characters.
std::string plain_line(std::string_view text, size_t bytes_max = message_bytes_max);

/// The failure with its message made fit for an event.
call_failure plain_line(call_failure failure);

} // namespace levain
