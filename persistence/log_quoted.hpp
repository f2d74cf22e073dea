#pragma once

#include <string>
#include <string_view>

namespace levain {

/// A value of a log line in quotes: `"` and `\` after a `\`, line ends, controls, marks that change the direction of
/// text and what is not UTF-8 as escapes, so that whatever a caller sent is one value on one line. At most
/// `log_value_bytes_max` bytes of `text` are shown.
std::string log_quoted(std::string_view text);

/// Of one value in a log line.
inline constexpr size_t log_value_bytes_max = 1000;

} // namespace levain
