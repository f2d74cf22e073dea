#include "actors/cluster/wire_kind.hpp"

#include <algorithm>

#include "actors/cluster/wire_limits.hpp"

namespace levain {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

} // namespace

bool is_kind(std::string_view text) {
  static_assert(wire_kind_bytes_max == 100, "kind_rule says 100 bytes");
  return !text.empty() && text.size() <= wire_kind_bytes_max && is_letter(text.front()) &&
         std::ranges::all_of(
           text, [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; });
}

} // namespace levain
