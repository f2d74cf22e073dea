#include "persistence/log_quoted.hpp"

#include "persistence/visible_text.hpp"

namespace levain {

std::string log_quoted(std::string_view text) {
  std::string quoted = "\"";
  const auto shown = text.size() > log_value_bytes_max ? log_value_bytes_max : text.size();
  for (auto rest = text; text.size() - rest.size() < shown;) {
    const auto [bytes, code_point] = first_character(rest);
    rest.remove_prefix(bytes.size());
    if (!code_point)
      quoted += json_escape(0xfffd);
    else if (bytes == "\n")
      quoted += "\\n";
    else if (bytes == "\"" || bytes == "\\")
      quoted.append("\\").append(bytes);
    else if (is_hidden(*code_point))
      quoted += json_escape(*code_point);
    else
      quoted += bytes;
  }
  return quoted + (text.size() > shown ? "...\"" : "\"");
}

} // namespace levain
