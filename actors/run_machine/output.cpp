#include "actors/run_machine/output.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "actors/run_machine/json_element.hpp"
#include "actors/run_machine/plain_line.hpp"
#include "actors/workflow/record_columns.hpp"
#include "persistence/exact_json.hpp"

namespace levain {

namespace {

using nlohmann::json;

/// Excerpts of values in messages are cut to this many bytes.
constexpr size_t excerpt_bytes_max = 80;

/// True when a text or a name holds U+0000.
bool holds_nul(const json& value) {
  switch (value.type()) {
  case json::value_t::object:
    for (const auto& [name, member] : value.items())
      if (name.find('\0') != std::string::npos || holds_nul(member))
        return true;
    return false;
  case json::value_t::array:
    return std::any_of(value.begin(), value.end(), holds_nul);
  case json::value_t::string:
    return value.get_ref<const std::string&>().find('\0') != std::string::npos;
  default:
    return false;
  }
}

std::string syntax_fault(std::string_view text) {
  try {
    [[maybe_unused]] auto value = json::parse(text);
  } catch (const json::exception& e) {
    std::string_view message = e.what();
    if (auto bracket = message.find("] "); bracket != std::string_view::npos)
      message.remove_prefix(bracket + 2);
    return plain_line(message, 300);
  }
  return "it cannot be read";
}

std::variant<json, unusable_json> read_canonical(std::string_view text, std::string_view what) {
  auto refuse = [&](std::string_view why) { return unusable_json{std::string(what) + std::string(why)}; };
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return refuse(" is empty; it must be JSON");
  // The parser takes a NUL byte for the end of the text and would not look at what follows it.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos)
    return refuse(" is not JSON: it has a NUL byte at offset " + std::to_string(nul));
  if (is_deeper_than(text, output_depth_max))
    return refuse(" is nested deeper than " + std::to_string(output_depth_max) + " levels");
  std::string number_fault;
  auto value = read_exact_json(text, &number_fault);
  if (!number_fault.empty())
    return refuse(" cannot be used: " + number_fault);
  if (value.is_discarded())
    return refuse(" is not JSON: " + syntax_fault(text));
  if (holds_nul(value))
    return refuse(" holds the character U+0000, which the database cannot keep");
  return value;
}

/// A whole number, also when it is written with a fraction of nothing (`97.0`).
std::optional<int64_t> whole_number(const json& value) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return std::nullopt;
  if (value.is_number_integer())
    return value.get<int64_t>();
  if (value.is_number_float()) {
    auto number = value.get<double>();
    if (std::trunc(number) == number && std::abs(number) < 1e15)
      return static_cast<int64_t>(number);
  }
  return std::nullopt;
}

std::optional<recorded_value> take_value(const record_column& column, const json& value) {
  switch (column.type) {
  case record_column::type_type::counter:
  case record_column::type_type::metric: {
    auto max = column.type == record_column::type_type::metric ? record_metric_max : record_counter_max;
    auto number = whole_number(value);
    if (!number || *number < 0 || *number > max)
      return std::nullopt;
    return static_cast<int32_t>(*number);
  }
  case record_column::type_type::uuid: {
    auto id = value.is_string() ? uuid::parse(value.get_ref<const std::string&>()) : std::nullopt;
    return id ? std::optional<recorded_value>(*id) : std::nullopt;
  }
  case record_column::type_type::json:
    return write_exact_json(value);
  }
  return std::nullopt;
}

/// One name of a JSON pointer, without its escapes.
std::string unescaped(std::string_view token) {
  std::string name;
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size())
      name += token[++i] == '1' ? '/' : '~';
    else
      name += token[i];
  }
  return name;
}

/// The value that a JSON pointer (RFC 6901) leads to; null when it leads nowhere. (The library's own `contains` throws
/// for an index that is beyond its numbers.)
const json* find_value(const json& root, std::string_view pointer) {
  const json* at = &root;
  while (at && !pointer.empty()) {
    pointer.remove_prefix(1);
    const auto token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    if (at->is_array()) {
      at = element_of(*at, token);
    } else {
      const auto member = at->find(unescaped(token));
      at = member == at->end() ? nullptr : &*member;
    }
  }
  return at;
}

std::variant<recorded_value, unusable_json> record_one(const record_entry& entry, const json& output) {
  const auto* column = find_record_column(entry.column);
  if (!column)
    return unusable_json{"the column " + entry.column + " is none that record may fill"};
  auto must_be = std::string(describe_range(column->type));
  const auto* found = find_value(output, entry.pointer);
  if (!found)
    return unusable_json{
      "the answer has no value at '" + entry.pointer + "' for the column " + entry.column + ", which must be " +
      must_be};
  const auto& value = *found;
  if (auto taken = take_value(*column, value))
    return std::move(*taken);
  return unusable_json{
    "the value " + plain_line(write_exact_json(value), excerpt_bytes_max) + " at '" + entry.pointer +
    "' does not fit the column " + entry.column + ", which must be " + must_be};
}

} // namespace

unusable_json::unusable_json(std::string_view sentence)
  : message(plain_line(sentence)) {}

bool is_deeper_than(std::string_view text, size_t depth_max) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > depth_max)
        return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

std::variant<std::string, unusable_json> canonical_json(std::string_view text, std::string_view what) {
  auto read = read_canonical(text, what);
  if (auto* fault = std::get_if<unusable_json>(&read))
    return std::move(*fault);
  return write_exact_json(std::get<json>(read));
}

std::variant<usable_output, unusable_json>
check_output(const step_definition& step, std::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max)
    return unusable_json{
      "the answer has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(bytes_max) +
      " are allowed"};
  auto read = read_canonical(text, "the answer");
  if (auto* fault = std::get_if<unusable_json>(&read))
    return std::move(*fault);
  const auto& value = std::get<json>(read);
  usable_output output;
  output.recorded.reserve(step.record.size());
  for (const auto& entry : step.record) {
    auto taken = record_one(entry, value);
    if (auto* fault = std::get_if<unusable_json>(&taken))
      return std::move(*fault);
    output.recorded.push_back(std::move(std::get<recorded_value>(taken)));
  }
  output.text = write_exact_json(value);
  return output;
}

} // namespace levain
