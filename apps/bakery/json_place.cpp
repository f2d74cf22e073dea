#include "apps/bakery/json_place.hpp"

#include <fmt/core.h>

namespace levain::bakery {

namespace {

constexpr size_t shown_bytes_max = 60;

std::string shown(const nlohmann::json& value) {
  auto text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() <= shown_bytes_max ? text : text.substr(0, shown_bytes_max) + "...";
}

} // namespace

void json_place::refuse(const std::string& message) const {
  throw bad_input(422, path_, message);
}

std::optional<json_place> json_place::find(std::string_view name) const {
  if (!value_->is_object())
    refuse(fmt::format("must be an object, not {}", shown(*value_)));
  auto at = value_->find(name);
  if (at == value_->end() || at->is_null())
    return std::nullopt;
  return json_place(*at, path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name));
}

json_place json_place::member(std::string_view name) const {
  if (auto found = find(name))
    return *found;
  throw bad_input(422, path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name), "is missing");
}

std::vector<json_place> json_place::items() const {
  if (!value_->is_array())
    refuse(fmt::format("must be an array, not {}", shown(*value_)));
  std::vector<json_place> result;
  for (size_t i = 0; i < value_->size(); ++i)
    result.emplace_back((*value_)[i], fmt::format("{}[{}]", path_, i));
  return result;
}

std::vector<std::pair<std::string, json_place>> json_place::members() const {
  if (!value_->is_object())
    refuse(fmt::format("must be an object, not {}", shown(*value_)));
  std::vector<std::pair<std::string, json_place>> result;
  for (const auto& [name, value] : value_->items())
    result.emplace_back(name, json_place(value, path_.empty() ? name : path_ + "." + name));
  return result;
}

int64_t json_place::integer(int64_t min, int64_t max) const {
  // Unsigned values beyond int64_t would wrap, so they are compared as what they are.
  bool fits = value_->is_number_integer() &&
              !(value_->is_number_unsigned() && value_->get<uint64_t>() > uint64_t(INT64_MAX)) &&
              value_->get<int64_t>() >= min && value_->get<int64_t>() <= max;
  if (!fits)
    refuse(fmt::format("must be a whole number from {} to {}, not {}", min, max, shown(*value_)));
  return value_->get<int64_t>();
}

double json_place::number(double min, double max) const {
  if (!value_->is_number() || value_->get<double>() < min || value_->get<double>() > max)
    refuse(fmt::format("must be a number from {} to {}, not {}", min, max, shown(*value_)));
  return value_->get<double>();
}

const std::string& json_place::text() const {
  if (!value_->is_string())
    refuse(fmt::format("must be a text, not {}", shown(*value_)));
  return value_->get_ref<const std::string&>();
}

} // namespace levain::bakery
