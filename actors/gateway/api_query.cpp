#include "actors/gateway/api_query.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "actors/gateway/api_words.hpp"
#include "persistence/queries.hpp"
#include "persistence/utf8.hpp"

namespace levain {

namespace {

constexpr std::string_view json_type = "application/json";
/// Of `2026-11-23`.
constexpr size_t date_characters = 10;

/// The media type without its parameters, in lower case.
std::string media_type(std::string_view header) {
  std::string type(header.substr(0, header.find(';')));
  while (!type.empty() && type.back() == ' ')
    type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type;
}

} // namespace

void refuse_parameter(std::string_view name, std::string message) {
  throw request_refused({400, fmt::format("{}: {}", name, message), std::string(name)});
}

query_reader::query_reader(const http_request& request, std::vector<std::string_view> known)
  : request_(request) {
  for (const auto& [name, value] : request.query)
    if (std::find(known.begin(), known.end(), name) == known.end())
      refuse_parameter(name, unknown_name(name, known));
}

std::optional<std::string> query_reader::text(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [key, value] : request_.query) {
    if (key != name)
      continue;
    if (found)
      refuse_parameter(name, "may come once only");
    if (value.empty())
      refuse_parameter(name, "must not be empty");
    found = value;
  }
  return found;
}

std::optional<timestamp> query_reader::time(std::string_view name) const {
  const auto value = text(name);
  if (!value)
    return std::nullopt;
  const bool is_date = value->size() == date_characters && value->find_first_of("T ") == std::string::npos;
  const auto at = parse_timestamp(is_date ? *value + "T00:00:00Z" : *value);
  if (!at)
    refuse_parameter(
      name, fmt::format("must be a time such as 2026-11-23T04:00:00Z or a date such as 2026-11-23, not '{}'", *value));
  return at;
}

size_t query_reader::number(std::string_view name, size_t otherwise, size_t least, size_t most) const {
  const auto value = text(name);
  if (!value)
    return otherwise;
  size_t number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc() || end != value->data() + value->size() || number < least || number > most)
    refuse_parameter(name, fmt::format("must be a whole number from {} to {}, not '{}'", least, most, *value));
  return number;
}

size_t query_reader::limit(size_t otherwise) const {
  return number("limit", otherwise, 1, rows_per_answer_max);
}

std::vector<std::string> query_reader::many(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : request_.query) {
    if (key != name)
      continue;
    for (size_t begin = 0; begin <= value.size();) {
      const auto end = std::min(value.find(',', begin), value.size());
      if (end == begin)
        refuse_parameter(name, "must not be empty");
      found.push_back(value.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return found;
}

tenant_id tenant_of(const api_call& call) {
  const auto& text = call.segment("tenant");
  const auto id = uuid::parse(text);
  if (!id)
    refuse_parameter(
      "tenant", fmt::format("must be a UUID such as 3f2b8c1e-5d4a-4b6f-9e8d-7c6b5a493827, not '{}'", text));
  return {*id};
}

run_reference run_of(const api_call& call) {
  const auto& text = call.segment("run");
  if (const auto id = uuid::parse(text))
    return run_id{*id};
  if (count_characters(text) > run_number_characters_max)
    throw request_refused(no_such_run(text));
  return text;
}

api_problem no_such_run(const run_reference& run) {
  const auto* id = std::get_if<run_id>(&run);
  return {404, fmt::format("this tenant has no run '{}'", id ? to_string(*id) : std::get<std::string>(run)), "run"};
}

void require_json(const http_request& request) {
  if (request.body.empty())
    return;
  const auto found = request.headers.find("content-type");
  const auto type = found == request.headers.end() ? std::string() : media_type(found->second);
  if (type == json_type)
    return;
  throw request_refused(
    {415,
     type.empty() ? fmt::format("Content-Type is missing; it must be {}", json_type)
                  : fmt::format("Content-Type is '{}'; it must be {}", type, json_type),
     "Content-Type"});
}

} // namespace levain
