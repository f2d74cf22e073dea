#include "actors/run_machine/json_text.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace levain {

namespace {

/// Stands in a JSON string as it is.
bool is_plain(char c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

} // namespace

void append_json_text(std::string& to, std::string_view value) {
  // Names and ids, which are nearly all that is written: the library's writer costs some thousand instructions a text.
  if (std::all_of(value.begin(), value.end(), is_plain)) {
    to += '"';
    to += value;
    to += '"';
    return;
  }
  to += nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace levain
