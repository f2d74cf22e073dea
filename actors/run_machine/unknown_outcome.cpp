#include "actors/run_machine/unknown_outcome.hpp"

#include <nlohmann/json.hpp>

#include "actors/run_machine/machine.hpp"
#include "actors/run_machine/progress.hpp"

namespace levain {

namespace {

using nlohmann::json;

/// What the run's own end says instead of a text from outside; absent where there is none.
std::optional<std::string> reason_of(const run_state& state, step_index i) {
  const auto& failure = state.steps[i].failure;
  if (!failure || state.rejected)
    return std::nullopt;
  return failure->message;
}

} // namespace

json unknown_outcomes_of(const run_state& state) {
  auto list = json::array();
  for (step_index i = 0; i < state.steps.size(); ++i) {
    const auto& definition = state.workflow->steps[i];
    for (const auto& key : state.steps[i].unknown_keys)
      list.push_back({{"step", definition.name}, {"key", key}});
    if (!is_left_unknown(state, i))
      continue;
    json entry = {
      {"step", definition.name}, {"key", idempotency_key(state, i, false)}, {"attempt", state.steps[i].attempt}};
    if (auto reason = reason_of(state, i))
      entry["message"] = std::move(*reason);
    auto columns = json::array();
    for (const auto& each : definition.record)
      columns.push_back(each.column);
    if (!columns.empty())
      entry["unknown_columns"] = std::move(columns);
    list.push_back(std::move(entry));
  }
  return list;
}

std::vector<std::string> unknown_outcome_complaints(const run_state& state) {
  std::vector<std::string> all;
  if (state.phase != run_phase::ended)
    return all;
  for (step_index i = 0; i < state.steps.size(); ++i) {
    const auto& name = state.workflow->steps[i].name;
    const auto complain = [&](const std::string& key) {
      return "the outcome of step " + name + " is unknown: its work may have been done under the key " + key;
    };
    for (const auto& key : state.steps[i].unknown_keys)
      all.push_back(complain(key) + " (before the run was retried)");
    if (!is_left_unknown(state, i))
      continue;
    auto text = complain(idempotency_key(state, i, false));
    if (const auto reason = reason_of(state, i))
      text += " (" + *reason + ")";
    all.push_back(std::move(text));
  }
  return all;
}

} // namespace levain
