#pragma once

#include <string>
#include <string_view>

#include "actors/run_machine/state.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

/// Text from outside made fit for an event, at most `message_bytes_max` bytes.
std::string plain_line(std::string_view text);

/// The failure with its message made fit for an event.
call_failure plain_line(call_failure failure);

} // namespace levain
