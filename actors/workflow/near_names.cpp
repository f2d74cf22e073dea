#include "actors/workflow/near_names.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace levain {

namespace {

constexpr size_t name_changes_max = 2;
/// Longer than any name that is known; bounds the comparison, whose cost grows with the length.
constexpr size_t compared_bytes_max = 100;

/// Levenshtein's distance.
size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<size_t> row(right.size() + 1);
  for (size_t j = 0; j <= right.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= left.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= right.size(); ++j) {
      const size_t changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row.back();
}

} // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known) {
  std::string_view nearest;
  if (name.size() > compared_bytes_max)
    return nearest;
  size_t changes = name_changes_max + 1;
  for (const auto each : known) {
    const auto distance = edit_distance(name, each);
    if (distance < changes && distance * 2 <= each.size()) {
      nearest = each;
      changes = distance;
    }
  }
  return nearest;
}

std::string unknown_name(std::string_view name, std::span<const std::string_view> known) {
  if (known.empty())
    return "is not known here; nothing is";
  const auto meant = nearest_name(name, known);
  return meant.empty() ? "is not known here; known are " + list_names(known)
                       : "is not known here; did you mean '" + std::string(meant) + "'?";
}

std::string list_names(std::span<const std::string_view> names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0)
      text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

} // namespace levain
