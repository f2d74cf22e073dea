#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace levain {

/// A stranger's text made fit for a message, a row and JSON: well-formed UTF-8 (each byte that is not becomes U+FFFD),
/// no control characters (those in a row become one blank), no blanks around it, at most `bytes_max` bytes, cut between
/// characters. Every message that repeats what somebody else wrote goes through here.
std::string plain_line(std::string_view text, size_t bytes_max);

} // namespace levain
