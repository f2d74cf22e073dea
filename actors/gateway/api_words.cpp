#include "actors/gateway/api_words.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/workflow/strict_json.hpp"

namespace levain {

void request_errors::add(std::string field, std::string message) {
  if (!has_room())
    return count();
  kept_.push_back({std::move(field), std::move(message)});
  if (room_ > 0)
    --room_;
}

std::vector<field_error> request_errors::take() {
  if (beyond_ > 0)
    kept_.push_back({"", fmt::format("and {} more error{}", beyond_, beyond_ == 1 ? "" : "s")});
  return std::move(kept_);
}

void check_members(
  const nlohmann::json& object, const std::vector<std::string_view>& known, std::string_view place,
  request_errors& errors) {
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end())
      continue;
    if (errors.has_room())
      errors.add(member_place(place, name), unknown_name(name, known));
    else
      errors.count();
  }
}

} // namespace levain
