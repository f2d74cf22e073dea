#include "tests/support/schema_check.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "persistence/utf8.hpp"

namespace levain {

namespace {

using nlohmann::json;

const std::regex& pattern_of(const std::string& text) {
  static std::map<std::string, std::regex> made;
  const auto found = made.find(text);
  return found != made.end() ? found->second : made.emplace(text, std::regex(text)).first->second;
}

bool is_of_type(const std::string& type, const json& value) {
  if (type == "object")
    return value.is_object();
  if (type == "array")
    return value.is_array();
  if (type == "string")
    return value.is_string();
  if (type == "integer")
    return value.is_number_integer() || (value.is_number_float() && value == std::trunc(value.get<double>()));
  if (type == "number")
    return value.is_number();
  throw std::logic_error("a type that the check does not know: " + type);
}

class checker {
public:
  explicit checker(const json& root)
    : root_(root) {}

  /// The first fault, or nothing.
  std::optional<std::string> fault(const json& schema, const json& value, const std::string& place) const {
    for (const auto& [keyword, argument] : schema.items())
      if (auto found = fault_of(keyword, argument, schema, value, place))
        return found->empty() ? place + ' ' + keyword : *found;
    return std::nullopt;
  }

private:
  using found_fault = std::optional<std::string>;
  /// This keyword's own fault.
  static found_fault here() { return std::string(); }
  static found_fault unless(bool right) { return right ? std::nullopt : here(); }

  bool takes(const json& schema, const json& value) const { return !fault(schema, value, ""); }

  found_fault fault_of(
    const std::string& keyword, const json& argument, const json& schema, const json& value,
    const std::string& place) const {
    static const std::set<std::string> notes{"$schema", "$id",   "title", "description",
                                             "default", "$defs", "then",  "else"};
    if (notes.contains(keyword))
      return std::nullopt;
    if (keyword == "$ref") {
      const json::json_pointer pointer(argument.get<std::string>().substr(1));
      return fault(root_.at(pointer), value, place);
    }
    if (keyword == "type")
      return unless(is_of_type(argument.get<std::string>(), value));
    if (keyword == "enum")
      return unless(std::ranges::find(argument, value) != argument.end());
    if (keyword == "const")
      return unless(argument == value);
    if (keyword == "allOf") {
      for (const auto& each : argument)
        if (auto found = fault(each, value, place))
          return found;
      return std::nullopt;
    }
    if (keyword == "oneOf")
      return unless(std::ranges::count_if(argument, [&](const json& each) { return takes(each, value); }) == 1);
    if (keyword == "not")
      return unless(!takes(argument, value));
    if (keyword == "if") {
      const auto* branch = takes(argument, value) ? "then" : "else";
      return schema.contains(branch) ? fault(schema.at(branch), value, place) : std::nullopt;
    }
    if (value.is_object())
      return fault_in_object(keyword, argument, schema, value, place);
    return fault_in_value(keyword, argument, value, place);
  }

  found_fault fault_in_object(
    const std::string& keyword, const json& argument, const json& schema, const json& value,
    const std::string& place) const {
    if (keyword == "required")
      return unless(std::ranges::all_of(argument, [&](const json& name) { return value.contains(name); }));
    if (keyword == "dependentRequired") {
      for (const auto& [name, needed] : argument.items())
        if (value.contains(name) && !std::ranges::all_of(needed, [&](const json& one) { return value.contains(one); }))
          return here();
      return std::nullopt;
    }
    if (keyword == "minProperties")
      return unless(value.size() >= argument.get<size_t>());
    if (keyword == "maxProperties")
      return unless(value.size() <= argument.get<size_t>());
    static const std::set<std::string> of_others{"pattern", "maxLength", "minimum",  "maximum",
                                                 "items",   "minItems",  "maxItems", "uniqueItems"};
    if (of_others.contains(keyword))
      return std::nullopt;
    const bool of_names = keyword == "propertyNames";
    if (!of_names && keyword != "properties" && keyword != "additionalProperties")
      throw std::logic_error("a keyword that the check does not know: " + keyword);
    for (const auto& [name, member] : value.items()) {
      const bool listed = schema.contains("properties") && schema["properties"].contains(name);
      const auto inner = place + '/' + name;
      if (of_names && !takes(argument, name))
        return inner + " propertyNames";
      if (keyword == "properties" && listed)
        if (auto found = fault(argument.at(name), member, inner))
          return found;
      if (keyword == "additionalProperties" && !listed) {
        if (argument == false)
          return inner + " additionalProperties";
        if (auto found = fault(argument, member, inner))
          return found;
      }
    }
    return std::nullopt;
  }

  found_fault
  fault_in_value(const std::string& keyword, const json& argument, const json& value, const std::string& place) const {
    static const std::set<std::string> of_objects{"required",      "dependentRequired", "minProperties",
                                                  "maxProperties", "properties",        "additionalProperties",
                                                  "propertyNames"};
    if (of_objects.contains(keyword))
      return std::nullopt;
    if (keyword == "pattern")
      return unless(
        !value.is_string() || std::regex_search(value.get<std::string>(), pattern_of(argument.get<std::string>())));
    if (keyword == "maxLength")
      return unless(!value.is_string() || count_characters(value.get<std::string>()) <= argument.get<size_t>());
    if (keyword == "minimum")
      return unless(!value.is_number() || value >= argument);
    if (keyword == "maximum")
      return unless(!value.is_number() || value <= argument);
    if (keyword == "minItems")
      return unless(!value.is_array() || value.size() >= argument.get<size_t>());
    if (keyword == "maxItems")
      return unless(!value.is_array() || value.size() <= argument.get<size_t>());
    if (keyword == "uniqueItems")
      return unless(!value.is_array() || std::set<json>(value.begin(), value.end()).size() == value.size());
    if (keyword != "items")
      throw std::logic_error("a keyword that the check does not know: " + keyword);
    for (size_t i = 0; value.is_array() && i < value.size(); ++i)
      if (auto found = fault(argument, value[i], place + '/' + std::to_string(i)))
        return found;
    return std::nullopt;
  }

  const json& root_;
};

} // namespace

std::string schema_fault(const json& schema, const json& value) {
  return checker(schema).fault(schema, value, "").value_or("");
}

} // namespace levain
