// Workflow definitions, as anybody may register them.
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "actors/run_machine/machine.hpp"
#include "actors/run_machine/prepare_call.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "tests/fuzz/fuzz_runs.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

namespace {

using nlohmann::json;

/// The place of an error, walked in the document: `steps[2]["odd name"].retry`. Only its last part may be missing
/// there; a name that was too long to be quoted whole ends the walk.
void require_place(const json& document, const std::string& place) {
  const json* at = &document;
  size_t i = 0;
  while (i < place.size()) {
    require(at != nullptr, "what an error names is there, but for its last part", place);
    std::string name;
    if (place[i] == '[' && i + 1 < place.size() && place[i + 1] == '"') {
      size_t end = i + 2;
      while (end < place.size() && place[end] != '"')
        end += place[end] == '\\' ? 2 : 1;
      require(end + 1 < place.size() && place[end + 1] == ']', "a quoted name is closed", place);
      name = json::parse(place.substr(i + 1, end - i)).get<std::string>();
      i = end + 2;
      if (name.ends_with("..."))
        return;
    } else if (place[i] == '[') {
      const auto end = place.find(']', i);
      require(end != std::string::npos, "a number is closed", place);
      const auto index = std::strtoull(place.c_str() + i + 1, nullptr, 10);
      require(at->is_array() && index < at->size(), "a numbered place is there", place);
      at = &(*at)[index];
      i = end + 1;
      continue;
    } else {
      i += place[i] == '.' ? 1 : 0;
      const auto end = std::min(place.find_first_of(".[", i), place.size());
      name = place.substr(i, end - i);
      i = end;
    }
    at = at->is_object() && at->contains(name) ? &at->at(name) : nullptr;
  }
}

void require_errors(std::string_view input, const std::vector<field_error>& errors) {
  require(!errors.empty(), "a definition that is refused has an error");
  require(errors.size() <= definition_errors_max + 1, "errors are limited", std::to_string(errors.size()));
  const auto document = json::parse(input, nullptr, false);
  for (const auto& error : errors) {
    require_line(error.message);
    require(error.message.size() < 64 * 1024, "an error is no book", error.message);
    if (!error.field.empty() && !document.is_discarded())
      require_place(document, error.field);
  }
}

/// The first calls of a run of this workflow can be made ready, or fail by name.
void require_usable(const workflow_ptr& workflow) {
  auto state = initial_state(workflow);
  const timestamp now{std::chrono::hours(24 * 365 * 56)};
  evolve(state, accept_run(fuzz_plan(*workflow), now));
  for (auto& fact : decide(state, slot_granted{}, {now, 0.5}).events)
    evolve(state, std::move(fact));
  require_sound(state, now);
  for (const auto& [name, place] : missing_variables(*workflow, {}))
    require(!name.empty() && place.starts_with("steps["), "a variable is named with its place", place);
}

} // namespace

LEVAIN_FUZZ_TARGET(workflow_definition) {
  const auto read = parse_definition(input);
  if (!read.workflow)
    return require_errors(input, read.errors);
  const auto& workflow = *read.workflow;
  require(read.errors.empty(), "a definition that is taken has no error");
  const auto again = parse_definition(workflow.body);
  require(again.workflow != nullptr, "the canonical text is a definition", workflow.body);
  require(again.workflow->body == workflow.body, "the canonical text is canonical", workflow.body);
  require(again.workflow->content_hash == workflow.content_hash, "the same content has the same hash");
  require(again.workflow->steps == workflow.steps, "the canonical text says the same steps", workflow.body);
  require(again.workflow->run_retries == workflow.run_retries, "the canonical text says the same retries");
  for (const auto& step : workflow.steps)
    require(
      parse_duration(format_duration(step.timeout)) == step.timeout, "a timeout is read as it is written",
      format_duration(step.timeout));
  require_usable(read.workflow);
}

} // namespace levain::test
