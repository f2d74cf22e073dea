#pragma once

#include <string>
#include <string_view>

namespace levain::load {

/// `text` as it can stand anywhere in HTML or SVG, in an attribute as well: what would be markup is spelled out, and
/// control characters are left away.
std::string html_text(std::string_view text);

} // namespace levain::load
