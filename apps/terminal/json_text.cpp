#include "apps/terminal/json_text.hpp"

#include "persistence/exact_json.hpp"
#include "persistence/visible_text.hpp"

namespace levain::terminal {

std::string json_text(const nlohmann::ordered_json& document, bool live) {
  constexpr int indent = 2;
  constexpr uint32_t ascii_max = 0x7f;
  const auto raw = write_exact_json(document, indent);
  std::string text;
  text.reserve(raw.size() + 1);
  for (std::string_view rest = raw; !rest.empty();) {
    const auto [bytes, code_point] = first_character(rest);
    rest.remove_prefix(bytes.size());
    // Line ends are those between members: inside texts they are escaped already.
    if (code_point && bytes != "\n" && (is_hidden(*code_point) || (live && *code_point > ascii_max)))
      text += json_escape(*code_point);
    else
      text += bytes;
  }
  return text + '\n';
}

} // namespace levain::terminal
