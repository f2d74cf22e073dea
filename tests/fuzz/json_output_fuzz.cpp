// What services answer, and what a step's `record` takes out of it: a JSON pointer, then the answer.
#include <nlohmann/json.hpp>

#include "actors/run_machine/output.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "persistence/append_rules.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace levain::test {

namespace {

using nlohmann::json;

/// A step that records three kinds of value from the same place; nothing when the pointer is none.
workflow_ptr recording(std::string_view pointer, const char* column) {
  const json definition = {
    {"workflow", "w"},
    {"version", 1},
    {"steps", {{{"name", "a"}, {"call", {{"simulate", json::object()}}}, {"record", {{column, pointer}}}}}}};
  return parse_definition(definition.dump(-1, ' ', false, json::error_handler_t::replace)).workflow;
}

bool is_pointer(const std::string& text) {
  try {
    [[maybe_unused]] const json::json_pointer pointer(text);
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

void require_canonical(std::string_view text) {
  const auto read = canonical_json(text, "the answer");
  if (const auto* fault = std::get_if<unusable_json>(&read))
    return require_line(fault->message);
  const auto& canonical = std::get<std::string>(read);
  require(json::accept(canonical), "a canonical text is JSON", canonical);
  const auto again = canonical_json(canonical, "the answer");
  require(std::holds_alternative<std::string>(again), "a canonical text can be read", canonical);
  require(std::get<std::string>(again) == canonical, "a canonical text is canonical", canonical);
  // Spread as a `jsonb` column gives it back.
  std::string text_spread;
  for (const char c : canonical)
    text_spread.append(1, c).append(c == ',' && canonical.find('"') == std::string::npos ? "\n " : "");
  const auto spread = canonical_json(" " + text_spread + "\n", "the answer");
  require(std::get<std::string>(spread) == canonical, "blanks change nothing", canonical);
  run_append append;
  append.events.push_back({2, timestamp{}, event_kind::step_succeeded, "a", 1, R"({"output":)" + canonical + "}"});
  const auto refused = find_unsendable(append) ? find_unsendable(append) : find_refused(append);
  require(!refused, "a canonical text can be stored", refused.value_or(""));
}

void require_recorded(const step_definition& step, std::string_view text) {
  const auto read = check_output(step, text);
  if (const auto* fault = std::get_if<unusable_json>(&read))
    return require_line(fault->message);
  const auto& usable = std::get<usable_output>(read);
  require(usable.recorded.size() == step.record.size(), "every entry of `record` has its value");
  require(std::get<std::string>(canonical_json(text, "it")) == usable.text, "an output is canonical", usable.text);
  const auto again = check_output(step, usable.text);
  require(std::get<usable_output>(again).recorded == usable.recorded, "a canonical text records the same", usable.text);
  for (const auto& value : usable.recorded)
    if (const auto* number = std::get_if<int32_t>(&value))
      require(*number >= 0, "what is counted is not below 0", std::to_string(*number));
}

} // namespace

LEVAIN_FUZZ_TARGET(json_output) {
  fuzz_input pieces(input);
  const auto pointer = pieces.line();
  const auto text = pieces.rest();
  require_canonical(text);
  for (const char* column : {"forecasts_generated", "quality_score", "forecast_id", "forecast_data"}) {
    const auto workflow = recording(pointer, column);
    if (!workflow)
      break;
    require(is_pointer(workflow->steps[0].record[0].pointer), "a pointer that is taken is one");
    require_recorded(workflow->steps[0], text);
  }
}

} // namespace levain::test
