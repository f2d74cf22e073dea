#include "actors/workflow/parse_call.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "actors/cluster/wire_kind.hpp"
#include "actors/run_machine/call_template.hpp"
#include "actors/workflow/strict_json.hpp"
#include "persistence/exact_json.hpp"

namespace levain {

namespace {

using nlohmann::json;

constexpr std::string_view token_marks = "!#$%&'*+-.^_`|~";
/// The engine sets these on every call.
constexpr std::array<std::string_view, 9> engine_headers = {"connection", "content-length",  "expect",
                                                            "host",       "idempotency-key", "levain-attempt",
                                                            "levain-run", "levain-tenant",   "transfer-encoding"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || token_marks.find(c) != std::string_view::npos;
  });
}

bool is_control(char c) {
  return static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// Reports a text that is no template, or refers to a result that may not be there.
void check_template(const std::string& text, const std::string& place, const call_scope& scope, error_list& errors) {
  const auto cut = parse_template(text);
  if (const auto* fault = std::get_if<template_error>(&cut))
    return errors.add(place, "byte " + std::to_string(fault->position + 1) + ": " + fault->message);
  for (const auto& piece : std::get<call_template>(cut)) {
    if (piece.kind != template_piece::kind_type::reference || piece.path.front() != "results")
      continue;
    const auto& name = piece.path[1];
    const auto found = std::ranges::find(*scope.steps, name, &step_outline::name);
    if (found == scope.steps->end())
      errors.add(place, "'{" + piece.text + "}' names the step '" + name + "', which this workflow does not have");
    else if (!scope.visible[static_cast<size_t>(found - scope.steps->begin())])
      errors.add(place, "'{" + piece.text + "}' must name " + scope.visible_rule + ", which '" + name + "' is not");
  }
}

/// Reports a reference before the path, where its value would choose the host.
void check_structure(const std::string& url, const std::string& place, error_list& errors) {
  const auto cut = parse_template(url);
  if (!std::holds_alternative<call_template>(cut))
    return;
  // A variable may hold anything up to a part of the path, so behind one only the call itself shows what is what.
  bool is_before_path = true;
  std::string before;
  for (const auto& piece : std::get<call_template>(cut)) {
    if (piece.kind == template_piece::kind_type::variable)
      is_before_path = false;
    if (piece.kind == template_piece::kind_type::reference && is_before_path)
      return errors.add(
        place, "must have '{" + piece.text + "}' in its path or behind it; a value may not choose the host");
    if (piece.kind != template_piece::kind_type::text)
      continue;
    before += piece.text;
    if (before.find_first_of("/?#", before.find("://") + 3) != std::string::npos)
      is_before_path = false;
  }
}

void check_url(const std::string& url, const std::string& place, const call_scope& scope, error_list& errors) {
  const auto rest_after = [&](std::string_view scheme) { return std::string_view(url).substr(scheme.size()); };
  const bool http = url.starts_with("http://");
  const bool https = url.starts_with("https://");
  if (!http && !https && !url.starts_with("${"))
    return errors.add(place, "must begin with http://, https:// or ${, not " + quote_text(url));
  if (http || https) {
    const auto rest = rest_after(http ? "http://" : "https://");
    if (rest.empty() || rest.front() == '/' || rest.front() == '?' || rest.front() == '#')
      return errors.add(place, "must name a host, not " + quote_text(url));
  }
  if (std::ranges::any_of(url, [](char c) { return is_control(c) || c == ' '; }))
    return errors.add(place, "must have no blanks and no control characters, write them percent-encoded");
  check_template(url, place, scope, errors);
  if (!scope.stored)
    check_structure(url, place, errors);
}

void parse_headers(
  const json& headers, const std::string& place, http_call& call, const call_scope& scope, error_list& errors) {
  if (!headers.is_object())
    return errors.add(place, "must be an object of names and texts, not " + describe_value(headers));
  std::vector<std::string> seen;
  for (const auto& [name, value] : headers.items()) {
    const auto where = member_place(place, name);
    const auto lower_name = lower(name);
    if (!is_token(name))
      errors.add(where, "must be the name of a header: letters, digits and " + std::string(token_marks));
    else if (std::ranges::find(engine_headers, lower_name) != engine_headers.end())
      errors.add(where, "is set by the engine and cannot be given here");
    else if (std::ranges::find(seen, lower_name) != seen.end())
      errors.add(where, "is there twice, the case of letters does not count in headers");
    seen.push_back(lower_name);
    if (!value.is_string())
      errors.add(where, "must be a text, not " + describe_value(value));
    else if (std::ranges::any_of(value.get_ref<const std::string&>(), is_control))
      errors.add(where, "must have no control characters");
    else
      check_template(call.headers[name] = value.get<std::string>(), where, scope, errors);
  }
}

http_call parse_http(const json& value, const std::string& place, const call_scope& scope, error_list& errors) {
  http_call call;
  object_reader reader(value, place, definition_object::http, errors);
  constexpr std::array<std::string_view, 5> methods = {"GET", "POST", "PUT", "PATCH", "DELETE"};
  if (const int method = reader.read_choice("method", methods); method >= 0)
    call.method = methods[static_cast<size_t>(method)];
  constexpr std::string_view url_rule = "a URL such as \"${forecasting_url}/forecasts\"";
  if (reader.require("url", url_rule))
    if (const auto* url = reader.read_text("url", url_rule)) {
      call.url = *url;
      check_url(*url, reader.place_of("url"), scope, errors);
    }
  if (const auto* headers = reader.find("headers"))
    parse_headers(*headers, reader.place_of("headers"), call, scope, errors);
  return call;
}

/// The name that a worker's or a function's call is made of.
std::string parse_kind(object_reader& reader, std::string_view member) {
  if (!reader.require(member, kind_rule))
    return {};
  const auto* name = reader.read_text(member, kind_rule);
  if (name && !is_kind(*name))
    reader.report(member, "must be " + std::string(kind_rule) + ", not " + quote_text(*name));
  return name ? *name : std::string();
}

void parse_seed(object_reader& reader, uint64_t& seed) {
  const auto* given = reader.find("seed");
  if (!given)
    return;
  if (given->is_number_unsigned())
    seed = given->get<uint64_t>();
  else
    reader.report("seed", "must be a whole number from 0 to 18446744073709551615, not " + describe_value(*given));
}

worker_call parse_worker(const json& value, const std::string& place, error_list& errors) {
  worker_call call;
  object_reader reader(value, place, definition_object::worker, errors);
  call.kind = parse_kind(reader, "kind");
  reader.read_duration("heartbeat", call.heartbeat, worker_heartbeat_min, step_timeout_max);
  return call;
}

function_call parse_function(const json& value, const std::string& place, error_list& errors) {
  object_reader reader(value, place, definition_object::function, errors);
  return {parse_kind(reader, "name")};
}

simulate_call parse_simulate(const json& value, const std::string& place, error_list& errors) {
  simulate_call call;
  using distribution = simulate_call::distribution_type;
  constexpr std::array<std::string_view, 4> names = {"constant", "uniform", "exponential", "lognormal"};
  object_reader reader(value, place, definition_object::simulate, errors);
  if (const int chosen = reader.read_choice("distribution", names); chosen >= 0)
    call.distribution = static_cast<distribution>(chosen);
  reader.read_duration("time", call.time, duration::zero(), step_timeout_max);
  call.time_max = call.time;
  reader.read_duration("time_max", call.time_max, duration::zero(), step_timeout_max);
  if (reader.find("time_max") && call.distribution != distribution::uniform)
    reader.report("time_max", "is for the distribution uniform only");
  else if (call.time_max < call.time)
    reader.report(
      "time_max", "must be at least time (" + format_duration(call.time) + "), not " + format_duration(call.time_max));
  reader.read_number("sigma", call.sigma, 0, simulate_sigma_max);
  if (reader.find("sigma") && call.distribution != distribution::lognormal)
    reader.report("sigma", "is for the distribution lognormal only");
  reader.read_number("fail_rate", call.fail_rate, 0, 1);
  reader.read_number("fail_final_rate", call.fail_final_rate, 0, 1);
  if (call.fail_rate + call.fail_final_rate > 1)
    reader.report(
      "fail_final_rate",
      "must be at most 1 together with fail_rate, not " + json(call.fail_rate + call.fail_final_rate).dump());
  reader.read_whole("fail_first", call.fail_first, 0, std::numeric_limits<uint32_t>::max());
  if (const auto* output = reader.find("output"))
    call.output = write_exact_json(*output);
  parse_seed(reader, call.seed);
  return call;
}

} // namespace

std::optional<call_spec> parse_call(object_reader& reader, const call_scope& scope, error_list& errors) {
  const auto kinds = definition_members(definition_object::call);
  std::string_view kind;
  std::string given;
  for (const auto name : kinds)
    if (reader.find(name)) {
      given.append(given.empty() ? "" : " and ").append(name);
      kind = name;
    }
  if (given != kind || given.empty()) {
    if (reader.is_object())
      errors.add(
        reader.place(),
        "must have exactly one of http, worker, function, simulate, not " + (given.empty() ? "none" : given));
    return std::nullopt;
  }
  const auto& value = *reader.find(kind);
  const auto place = reader.place_of(kind);
  if (kind == "http")
    return parse_http(value, place, scope, errors);
  if (kind == "worker")
    return parse_worker(value, place, errors);
  if (kind == "function")
    return parse_function(value, place, errors);
  return parse_simulate(value, place, errors);
}

} // namespace levain
