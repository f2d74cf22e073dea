#include "actors/run_machine/prepare_call.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "actors/run_machine/call_place.hpp"
#include "actors/run_machine/call_template.hpp"
#include "actors/run_machine/json_element.hpp"
#include "actors/run_machine/json_text.hpp"
#include "actors/run_machine/machine.hpp"
#include "actors/run_machine/plain_line.hpp"
#include "actors/run_machine/seen_outputs.hpp"
#include "persistence/exact_json.hpp"

namespace levain {

namespace {

using nlohmann::json;

/// What a call's body takes beside the run's input and the results, more or less.
constexpr size_t body_bytes_about = 512;

/// RFC 3986 section 2.3: what needs no encoding anywhere.
bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string percent_encoded(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += digits[byte >> 4];
    encoded += digits[byte & 15];
  }
  return encoded;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escape =
      text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (!is_escape) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return decoded;
}

/// A resolved text, and where values of the run stand in it.
struct resolved_template {
  struct value_place {
    size_t begin = 0;
    /// The reference without its braces.
    std::string reference;
  };
  std::string text;
  /// The same with `${variable}` as it was written, for people.
  std::string shown;
  std::vector<value_place> values;
};

/// What servers that resolve dot segments take a segment for: escapes are read, and parameters (`;x`) do not count.
std::string segment_meaning(std::string_view segment) {
  return percent_decoded(segment.substr(0, segment.find(';')));
}

/// Why the values of the run may not stand where they do in a URL; nothing when they may. A value is a part of one
/// segment of the path, or of query or fragment: it chooses no host, and it never adds, drops or climbs a segment.
std::optional<std::string> structure_fault(const resolved_template& url) {
  const std::string_view text = url.text;
  const auto scheme = text.find("://");
  const auto host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto host_end = std::min(text.find_first_of("/?#", host), text.size());
  const auto path_end = std::min(text.find_first_of("?#", host), text.size());
  for (const auto& value : url.values) {
    const auto at = value.begin;
    if (at <= host_end)
      return "{" + value.reference + "} stands before the path; a value may not choose the host";
    if ((at >= 1 && text[at - 1] == '%') || (at >= 2 && text[at - 2] == '%' && hex_value(text[at - 1]) >= 0))
      return "{" + value.reference + "} stands inside a percent escape";
    if (at > path_end)
      continue;
    const auto begin = text.rfind('/', at - 1) + 1;
    const auto end = std::min(text.find('/', at), path_end);
    const auto meaning = segment_meaning(text.substr(begin, end - begin));
    if (meaning.empty() || meaning == "." || meaning == "..")
      return "{" + value.reference + "} makes a segment of the path '" + meaning +
             "'; a value may not make it empty, '.' or '..'";
  }
  return std::nullopt;
}

/// A value that cannot be had; becomes a final failure.
struct unresolved {
  std::string message;
};

using resolved_text = std::variant<std::string, unresolved>;
using template_result = std::variant<resolved_template, unresolved>;

/// Makes one call ready.
class preparation {
public:
  preparation(const run_state& state, step_index step, bool undo, const call_variables& variables)
    : state_(state)
    , step_(step)
    , undo_(undo)
    , variables_(variables)
    , outputs_(seen_outputs(state, step, undo)) {}

  std::variant<call_request, call_failure> prepare() const {
    const auto& definition = state_.workflow->steps[step_];
    call_request request;
    request.run = state_.plan.run;
    request.run_number = state_.plan.run_number;
    request.tenant = state_.plan.tenant;
    request.step = definition.name;
    request.attempt = attempt();
    request.undo = undo_;
    request.idempotency_key = idempotency_key(state_, step_, undo_);
    request.timeout = undo_ ? definition.compensate->timeout : definition.timeout;
    request.queue_timeout = undo_ ? definition.compensate->queue_timeout : definition.queue_timeout;
    request.lost_workers = state_.steps[step_].lost_workers;
    request.call = undo_ ? definition.compensate->call : definition.call;
    if (auto* http = std::get_if<http_call>(&request.call))
      if (auto fault = resolve_http(*http, request.name))
        return call_failure{call_failure::kind_type::final, plain_line(*fault), std::nullopt};
    // A simulated call is nobody's to read.
    if (!std::holds_alternative<simulate_call>(request.call))
      request.body = body();
    return request;
  }

private:
  uint32_t attempt() const { return undo_ ? state_.steps[step_].undo_attempt : state_.steps[step_].attempt; }

  std::string run_value(std::string_view field) const {
    const auto& plan = state_.plan;
    if (field == "id")
      return to_string(plan.run);
    if (field == "number")
      return plan.run_number;
    if (field == "tenant")
      return to_string(plan.tenant);
    if (field == "workflow")
      return plan.workflow;
    if (field == "version")
      return std::to_string(plan.workflow_version);
    if (field == "type")
      return plan.run_type;
    if (field == "priority")
      return plan.priority;
    if (field == "attempt")
      return std::to_string(attempt());
    if (field == "step")
      return state_.workflow->steps[step_].name;
    return plan.triggered_by.value_or("");
  }

  std::string body() const {
    const auto& plan = state_.plan;
    std::string text = "{\"run\":{";
    text.reserve(body_bytes_about + plan.input.size());
    for (const char* field : {"id", "number", "tenant", "workflow", "type", "priority", "step"}) {
      append_json_text(text, field);
      text += ':';
      append_json_text(text, run_value(field));
      text += ',';
    }
    text += "\"version\":";
    text += std::to_string(plan.workflow_version);
    text += ",\"attempt\":";
    text += std::to_string(attempt());
    text += ",\"triggered_by\":";
    if (plan.triggered_by)
      append_json_text(text, *plan.triggered_by);
    else
      text += "null";
    text += "},\"input\":";
    text += plan.input;
    text += ",\"results\":{";
    bool first = true;
    for (step_index i = 0; i < state_.steps.size(); ++i) {
      if (!outputs_[i])
        continue;
      if (!std::exchange(first, false))
        text += ',';
      append_json_text(text, state_.workflow->steps[i].name);
      text += ':';
      text += *outputs_[i];
    }
    text += "}}";
    return text;
  }

  /// The value below `from` in a JSON text, written as people write it.
  static resolved_text simple_value(const std::string& text, const template_piece& piece, size_t from) {
    auto value = read_exact_json(text);
    const json* at = &value;
    for (size_t i = from; i < piece.path.size(); ++i) {
      const auto& segment = piece.path[i];
      if (at->is_object() && at->contains(segment))
        at = &(*at)[segment];
      else if (auto element = element_of(*at, segment))
        at = element;
      else
        return unresolved{"{" + piece.text + "} has no value: there is no '" + segment + "'"};
    }
    if (at->is_string())
      return at->get<std::string>();
    if (at->is_boolean())
      return at->dump();
    if (at->is_number() || is_exact_number(*at))
      return number_text(*at);
    return unresolved{
      "{" + piece.text + "} must be a text, a number or a boolean, not " + std::string(at->type_name())};
  }

  resolved_text reference_value(const template_piece& piece) const {
    if (piece.path.front() == "run") {
      if (piece.path[1] == "triggered_by" && !state_.plan.triggered_by)
        return unresolved{"{run.triggered_by} has no value: the run does not say who triggered it"};
      return run_value(piece.path[1]);
    }
    if (piece.path.front() == "input")
      return simple_value(state_.plan.input, piece, 1);
    for (step_index i = 0; i < state_.steps.size(); ++i)
      if (state_.workflow->steps[i].name == piece.path[1] && outputs_[i])
        return simple_value(*outputs_[i], piece, 2);
    if (undo_ && piece.path[1] == state_.workflow->steps[step_].name && state_.steps[step_].unknown)
      return unresolved{
        "{" + piece.text + "} has no value: the outcome of step " + piece.path[1] +
        " is unknown, so there is no result of it"};
    return unresolved{"{" + piece.text + "} has no value: step " + piece.path[1] + " has no result here"};
  }

  template_result resolve(const std::string& text, bool encode) const {
    auto cut = parse_template(text);
    if (auto* fault = std::get_if<template_error>(&cut))
      return unresolved{fault->message};
    resolved_template resolved;
    const auto append = [&](const std::string& value, const std::string& shown) {
      resolved.text += value;
      resolved.shown += shown;
    };
    for (const auto& piece : std::get<call_template>(cut)) {
      if (piece.kind == template_piece::kind_type::text) {
        append(piece.text, piece.text);
      } else if (piece.kind == template_piece::kind_type::variable) {
        auto found = variables_.find(piece.text);
        if (found == variables_.end())
          return unresolved{"${" + piece.text + "} has no value: this node has no variable of that name"};
        append(found->second, "${" + piece.text + "}");
      } else {
        auto value = reference_value(piece);
        if (auto* fault = std::get_if<unresolved>(&value))
          return std::move(*fault);
        const auto& plain = std::get<std::string>(value);
        resolved.values.push_back({resolved.text.size(), piece.text});
        const auto written = encode ? percent_encoded(plain) : plain;
        append(written, written);
      }
    }
    return resolved;
  }

  /// Why the call cannot be made; nothing when it can. Puts what people read of the call into `name`.
  std::optional<std::string> resolve_http(http_call& http, std::string& name) const {
    name = http.method + " " + shown_url(http.url);
    auto made = resolve(http.url, true);
    if (auto* fault = std::get_if<unresolved>(&made))
      return "the call's url cannot be made: " + fault->message;
    auto& url = std::get<resolved_template>(made);
    name = http.method + " " + shown_url(url.shown);
    if (auto fault = structure_fault(url))
      return "the call's url cannot be made: " + *fault;
    http.url = std::move(url.text);
    if (std::any_of(http.url.begin(), http.url.end(), [](char c) { return is_control(c) || c == ' '; }))
      return "the call's url must not hold blanks or control characters: " + shown_url(url.shown);
    for (auto& [header, value] : http.headers) {
      auto resolved = resolve(value, false);
      if (auto* fault = std::get_if<unresolved>(&resolved))
        return "the call's header " + header + " cannot be made: " + fault->message;
      value = std::move(std::get<resolved_template>(resolved).text);
      if (std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; }))
        return "the call's header " + header + " must not hold control characters such as a line's end";
    }
    return std::nullopt;
  }

  const run_state& state_;
  step_index step_;
  bool undo_;
  const call_variables& variables_;
  std::vector<const std::string*> outputs_;
};

/// Collects the variables of one text that have no value.
void collect_missing(
  std::vector<std::pair<std::string, std::string>>& missing, const std::string& text, const std::string& place,
  const call_variables& variables) {
  auto cut = parse_template(text);
  if (!std::holds_alternative<call_template>(cut))
    return;
  for (const auto& piece : std::get<call_template>(cut))
    if (piece.kind == template_piece::kind_type::variable && !variables.contains(piece.text))
      missing.emplace_back(piece.text, place);
}

} // namespace

std::variant<call_request, call_failure>
prepare_call(const run_state& state, step_index step, bool undo, const call_variables& variables) {
  return preparation(state, step, undo, variables).prepare();
}

std::vector<std::string> missing_variables(const call_spec& call, const call_variables& variables) {
  std::vector<std::string> names;
  const auto* http = std::get_if<http_call>(&call);
  if (http == nullptr)
    return names;
  std::vector<std::pair<std::string, std::string>> missing;
  collect_missing(missing, http->url, {}, variables);
  for (const auto& header : http->headers)
    collect_missing(missing, header.second, {}, variables);
  for (auto& each : missing)
    if (std::ranges::find(names, each.first) == names.end())
      names.push_back(std::move(each.first));
  return names;
}

std::vector<std::pair<std::string, std::string>>
missing_variables(const workflow_definition& workflow, const call_variables& variables) {
  std::vector<std::pair<std::string, std::string>> missing;
  auto look_into = [&](const call_spec& call, const std::string& place) {
    const auto* http = std::get_if<http_call>(&call);
    if (!http)
      return;
    collect_missing(missing, http->url, place + ".http.url", variables);
    for (const auto& [name, value] : http->headers)
      collect_missing(missing, value, place + ".http.headers." + name, variables);
  };
  for (size_t i = 0; i < workflow.steps.size(); ++i) {
    auto place = "steps[" + std::to_string(i) + "]";
    look_into(workflow.steps[i].call, place + ".call");
    if (workflow.steps[i].compensate)
      look_into(workflow.steps[i].compensate->call, place + ".compensate");
  }
  return missing;
}

} // namespace levain
