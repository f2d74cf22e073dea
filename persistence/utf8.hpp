#pragma once

#include <cstddef>
#include <string_view>

namespace levain {

/// The length of the well-formed UTF-8 sequence that begins `text` (Unicode 15, table 3-7), 1 to 4; 0 when there is
/// none.
size_t utf8_length(std::string_view text);

/// True when all of `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// The number of characters (code points) of well-formed UTF-8, as PostgreSQL counts them for `varchar(n)`.
size_t count_characters(std::string_view text);

} // namespace levain
