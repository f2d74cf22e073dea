#include "actors/workflow/parse_definition.hpp"

#include <limits>
#include <utility>

#include "actors/workflow/definition_notes.hpp"
#include "actors/workflow/object_reader.hpp"
#include "actors/workflow/parse_step.hpp"
#include "actors/workflow/stored_definition.hpp"
#include "actors/workflow/strict_json.hpp"
#include "persistence/exact_json.hpp"
#include "persistence/sha256.hpp"

namespace levain {

namespace {

using nlohmann::json;

void parse_workflow_name(object_reader& reader, std::string& name) {
  if (!reader.require("workflow", definition_name_rule))
    return;
  const auto* given = reader.read_text("workflow", definition_name_rule);
  if (given && !is_definition_name(*given))
    reader.report("workflow", "must be " + std::string(definition_name_rule) + ", not " + quote_text(*given));
  else if (given)
    name = *given;
}

void parse_version(object_reader& reader, int32_t& version) {
  uint32_t number = 0;
  if (reader.require("version", "a whole number of at least 1"))
    reader.read_whole("version", number, 1, std::numeric_limits<int32_t>::max());
  version = static_cast<int32_t>(number);
}

run_retry_policy parse_run_retries(const json& value, std::string place, error_list& errors) {
  run_retry_policy policy;
  object_reader reader(value, std::move(place), definition_object::run_retries, errors);
  reader.read_whole("max", policy.max, 0, run_retries_max);
  reader.read_number("backoff", policy.backoff, 1, retry_backoff_max);
  reader.read_intervals(policy.initial_interval, policy.max_interval);
  return policy;
}

std::vector<step_definition> parse_steps(const json& value, const std::string& place, bool stored, error_list& errors) {
  std::vector<step_definition> steps;
  if (!value.is_array()) {
    errors.add(place, "must be a list of steps, not " + describe_value(value));
    return steps;
  }
  if (value.empty())
    errors.add(place, "must have at least 1 step, not 0");
  if (value.size() > definition_steps_max) {
    errors.add(
      place,
      "must have at most " + std::to_string(definition_steps_max) + " steps, not " + std::to_string(value.size()));
    return steps;
  }
  auto surroundings = survey_steps(value);
  surroundings.stored = stored;
  for (step_index index = 0; index < value.size(); ++index)
    steps.push_back(parse_step(value[index], index, surroundings, errors));
  for (auto& cycle : describe_cycles(surroundings.steps))
    errors.add(place, std::move(cycle));
  return steps;
}

parsed_definition read_definition(std::string_view json_text, bool stored) {
  if (json_text.size() > definition_bytes_max)
    return {
      nullptr,
      {{"", "must be at most " + std::to_string(definition_bytes_max) + " bytes, not " +
              std::to_string(json_text.size())}}};
  auto read = read_strict_json(json_text, definition_depth_max);
  if (auto* fault = std::get_if<field_error>(&read))
    return {nullptr, {std::move(*fault)}};
  const auto& root = std::get<json>(read);

  error_list errors;
  auto workflow = std::make_shared<workflow_definition>();
  object_reader reader(root, "", definition_object::definition, errors);
  parse_workflow_name(reader, workflow->name);
  parse_version(reader, workflow->version);
  check_schema_name(reader);
  check_notes(reader, errors);
  if (const auto* retries = reader.find("run_retries"))
    workflow->run_retries = parse_run_retries(*retries, reader.place_of("run_retries"), errors);
  if (const auto* steps = reader.require("steps", "a list of steps"))
    workflow->steps = parse_steps(*steps, reader.place_of("steps"), stored, errors);
  if (!errors.empty())
    return {nullptr, errors.take()};

  workflow->body = write_exact_json(root);
  workflow->content_hash = sha256_hex(workflow->body);
  return {std::move(workflow), {}};
}

} // namespace

std::string to_string(const field_error& error) {
  return error.field.empty() ? error.message : error.field + ": " + error.message;
}

parsed_definition parse_definition(std::string_view json_text) {
  return read_definition(json_text, false);
}

parsed_definition read_stored_definition(std::string_view body) {
  return read_definition(body, true);
}

} // namespace levain
