#include "persistence/list_cursor.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace levain {

namespace {

/// Whether `text` has the letters of a time as the database writes it.
bool looks_like_time(std::string_view text) {
  constexpr std::string_view letters = "0123456789-:. BC";
  constexpr size_t length_max = 40;
  return text == "infinity" || text == "-infinity" ||
         (!text.empty() && text.size() <= length_max && text.find_first_not_of(letters) == std::string_view::npos);
}

} // namespace

std::string cursor_after(std::string at, const run_id& id) {
  std::replace(at.begin(), at.end(), ' ', '_');
  return at + '_' + to_string(id);
}

void refuse_cursor(const std::string& cursor) {
  throw std::invalid_argument("cursor: '" + cursor + "' is none; must be the `next` of an earlier page");
}

cursor_place read_cursor(const std::string& cursor) {
  if (cursor.empty())
    return {};
  const auto end = cursor.rfind('_');
  const auto id = end == std::string::npos ? std::nullopt : uuid::parse(std::string_view(cursor).substr(end + 1));
  if (!id)
    refuse_cursor(cursor);
  auto text = cursor.substr(0, end);
  std::replace(text.begin(), text.end(), '_', ' ');
  if (!looks_like_time(text))
    refuse_cursor(cursor);
  return {std::move(text), run_id{*id}};
}

} // namespace levain
