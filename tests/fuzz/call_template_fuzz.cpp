// Templates of calls and what fills them: a URL, a header's value, the answer of the step before, the run's input.
#include <nlohmann/json.hpp>

#include "actors/run_machine/call_template.hpp"
#include "actors/run_machine/machine.hpp"
#include "actors/run_machine/prepare_call.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_runs.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

namespace {

using nlohmann::json;

std::string printed(const call_template& pieces) {
  std::string text;
  for (const auto& piece : pieces) {
    if (piece.kind == template_piece::kind_type::variable)
      text += "${" + piece.text + "}";
    else if (piece.kind == template_piece::kind_type::reference)
      text += "{" + piece.text + "}";
    else
      for (const char c : piece.text)
        text += c == '{' ? "{{" : c == '}' ? "}}" : std::string(1, c);
  }
  return text;
}

void require_pieces(std::string_view text) {
  const auto cut = parse_template(text);
  if (const auto* fault = std::get_if<template_error>(&cut)) {
    require(fault->position < text.size(), "a fault lies within the text", std::to_string(fault->position));
    require(!fault->message.empty(), "a fault says something");
    return;
  }
  const auto& pieces = std::get<call_template>(cut);
  for (const auto& piece : pieces)
    require(
      (piece.kind == template_piece::kind_type::reference) == !piece.path.empty(), "references alone have a path");
  const auto again = parse_template(printed(pieces));
  require(std::holds_alternative<call_template>(again), "a template that is printed is one", printed(pieces));
  require(std::get<call_template>(again) == pieces, "a template is read as it is printed", printed(pieces));
}

workflow_ptr calling(std::string_view url, std::string_view header) {
  const json definition = {
    {"workflow", "w"},
    {"version", 1},
    {"steps",
     {{{"name", "first"}, {"call", {{"simulate", json::object()}}}},
      {{"name", "second"},
       {"needs", {"first"}},
       {"call", {{"http", {{"url", url}, {"headers", {{"X-Value", header}}}}}}},
       {"compensate", {{"http", {{"url", url}}}}}}}}};
  const auto read = parse_definition(definition.dump(-1, ' ', false, json::error_handler_t::replace));
  for (const auto& error : read.errors) {
    require_line(error.message);
    require(error.field.empty() || error.field.starts_with("steps[1]."), "the fault lies in the call", error.field);
  }
  return read.workflow;
}

void require_request(const run_state& state) {
  static const call_variables variables = {{"host", "http://h:80"}, {"odd", "a b\r\n"}, {"empty", ""}};
  const auto prepared = prepare_call(state, 1, false, variables);
  if (const auto* failure = std::get_if<call_failure>(&prepared)) {
    require(failure->kind == call_failure::kind_type::final, "a call that cannot be made fails for good");
    return require_line(failure->message);
  }
  const auto& request = std::get<call_request>(prepared);
  const auto& http = std::get<http_call>(request.call);
  for (const char c : http.url)
    require(static_cast<unsigned char>(c) > 0x20 && c != 0x7f, "a URL holds no blank and no control", http.url);
  for (const auto& [name, value] : http.headers)
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a header is one line", value);
  const auto body = json::parse(request.body, nullptr, false);
  require(body.is_object() && body.contains("results"), "a call's body is JSON", request.body);
  require(body["results"]["first"] == json::parse(state.steps[0].output), "a call sees the results", request.body);
}

} // namespace

LEVAIN_FUZZ_TARGET(call_template) {
  fuzz_input lines(input);
  const auto url = lines.line();
  const auto header = lines.line();
  const auto output = lines.line();
  const auto given = lines.rest();
  require_pieces(url);
  require_pieces(header);
  const auto workflow = calling(url, header);
  if (!workflow)
    return;
  auto state = initial_state(workflow);
  const timestamp now{std::chrono::hours(24 * 365 * 56)};
  auto plan = fuzz_plan(*workflow);
  plan.input = given;
  try {
    evolve(state, accept_run(plan, now));
  } catch (const std::invalid_argument& refused) {
    return require_line(refused.what());
  }
  const auto feed = [&](const run_input& what) {
    for (auto& fact : decide(state, what, {now, 0.5}).events)
      evolve(state, std::move(fact));
  };
  feed(slot_granted{});
  feed(call_answered{0, 1, false, std::string(output)});
  require_sound(state, now);
  if (state.steps[1].phase == step_phase::calling)
    require_request(state);
}

} // namespace levain::test
