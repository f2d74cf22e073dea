#pragma once

#include <string>
#include <string_view>

namespace levain {

/// Appends the text as a JSON string, in quotes. Bytes that are no UTF-8 become U+FFFD.
void append_json_text(std::string& to, std::string_view value);

} // namespace levain
