#include "actors/workflow/object_reader.hpp"

#include <algorithm>

#include "actors/workflow/near_names.hpp"
#include "actors/workflow/strict_json.hpp"

namespace levain {

namespace {

using nlohmann::json;

std::string must_be(std::string_view expected, const json& value) {
  return "must be " + std::string(expected) + ", not " + describe_value(value);
}

/// A number as a person would write it: `100`, `0.2`.
std::string number_text(double number) {
  const auto whole = static_cast<int64_t>(number);
  return static_cast<double>(whole) == number ? std::to_string(whole) : json(number).dump();
}

} // namespace

void error_list::add(std::string field, std::string message) {
  if (has_room())
    errors_.push_back({std::move(field), std::move(message)});
  else
    ++beyond_;
}

std::vector<field_error> error_list::take() {
  if (beyond_ > 0)
    errors_.push_back({"", "and " + std::to_string(beyond_) + " more errors"});
  return std::move(errors_);
}

object_reader::object_reader(const json& value, std::string place, definition_object kind, error_list& errors)
  : place_(std::move(place))
  , errors_(errors) {
  if (!value.is_object()) {
    errors_.add(place_, must_be("an object", value));
    return;
  }
  object_ = &value;
  const auto known = definition_members(kind);
  for (const auto& [name, ignored] : value.items())
    if (std::ranges::find(known, name) == known.end()) {
      if (errors_.has_room())
        report(name, unknown_name(name, known));
      else
        errors_.count();
    }
}

std::string object_reader::place_of(std::string_view member) const {
  return member_place(place_, member);
}

void object_reader::report(std::string_view member, std::string message) {
  errors_.add(place_of(member), std::move(message));
}

const json* object_reader::find(std::string_view member) const {
  if (!object_)
    return nullptr;
  const auto found = object_->find(member);
  return found == object_->end() ? nullptr : &*found;
}

const json* object_reader::require(std::string_view member, std::string_view expected) {
  const auto* value = find(member);
  if (!value && object_)
    report(member, "is missing, must be " + std::string(expected));
  return value;
}

void object_reader::read_whole(std::string_view member, uint32_t& value, uint32_t min, uint32_t max) {
  const auto* given = find(member);
  if (!given)
    return;
  if (!given->is_number_integer())
    return report(member, must_be("a whole number", *given));
  const bool negative = !given->is_number_unsigned() && given->get<int64_t>() < 0;
  if (negative || given->get<uint64_t>() < min)
    return report(member, must_be("at least " + std::to_string(min), *given));
  if (given->get<uint64_t>() > max)
    return report(member, must_be("at most " + std::to_string(max), *given));
  value = given->get<uint32_t>();
}

void object_reader::read_number(std::string_view member, double& value, double min, double max) {
  const auto* given = find(member);
  if (!given)
    return;
  if (!given->is_number())
    return report(member, must_be("a number", *given));
  const auto number = given->get<double>();
  if (number < min)
    return report(member, must_be("at least " + number_text(min), *given));
  if (number > max)
    return report(member, must_be("at most " + number_text(max), *given));
  value = number;
}

void object_reader::read_duration(std::string_view member, duration& value, duration min, duration max) {
  constexpr std::string_view expected = "a time such as \"500ms\", \"30s\", \"5m\", \"2h\" or \"1d\"";
  const auto* text = read_text(member, expected);
  if (!text)
    return;
  const auto given = parse_duration(*text);
  if (!given)
    return report(member, must_be(expected, *find(member)));
  if (*given < min)
    return report(member, "must be at least " + format_duration(min) + ", not " + *text);
  if (*given > max)
    return report(member, "must be at most " + format_duration(max) + ", not " + *text);
  value = *given;
}

void object_reader::read_intervals(duration& initial, duration& max) {
  read_duration("initial_interval", initial, retry_interval_min, retry_interval_max);
  if (!find("max_interval")) {
    max = std::max(max, initial);
    return;
  }
  auto given = duration::zero();
  read_duration("max_interval", given, retry_interval_min, retry_interval_max);
  if (given == duration::zero())
    return;
  if (given < initial)
    return report(
      "max_interval",
      "must be at least initial_interval (" + format_duration(initial) + "), not " + format_duration(given));
  max = given;
}

int object_reader::read_choice(std::string_view member, std::span<const std::string_view> choices) {
  const auto* given = find(member);
  if (!given)
    return -1;
  if (given->is_string())
    if (const auto found = std::ranges::find(choices, given->get_ref<const std::string&>()); found != choices.end())
      return static_cast<int>(found - choices.begin());
  std::string expected = "one of ";
  for (size_t i = 0; i < choices.size(); ++i)
    expected.append(i == 0 ? "" : ", ").append(choices[i]);
  report(member, must_be(expected, *given));
  return -1;
}

const std::string* object_reader::read_text(std::string_view member, std::string_view expected) {
  const auto* given = find(member);
  if (!given)
    return nullptr;
  if (given->is_string())
    return &given->get_ref<const std::string&>();
  report(member, must_be(expected, *given));
  return nullptr;
}

bool is_definition_name(std::string_view text) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && text.size() <= definition_name_bytes_max && is_letter(text.front()) &&
         std::ranges::all_of(
           text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

} // namespace levain
