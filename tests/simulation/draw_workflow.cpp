#include "tests/simulation/draw_workflow.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "persistence/audit_row.hpp"

namespace levain::simulation {

namespace {

using nlohmann::json;

std::string milliseconds(int64_t count) {
  return std::to_string(count) + "ms";
}

json draw_retry(chance& luck, int64_t attempts_max) {
  const auto initial = luck.between(5, 1500);
  return {
    {"max_attempts", luck.between(1, attempts_max)},
    {"initial_interval", milliseconds(initial)},
    {"backoff", luck.pick(std::array{1.0, 1.5, 2.0})},
    {"max_interval", milliseconds(initial + luck.between(0, 5000))},
    {"jitter", luck.pick(std::array{0.0, 0.2, 1.0})}};
}

json draw_call(chance& luck, const std::vector<std::string>& results) {
  if (luck.happens(350))
    return {{"function", {{"name", "service"}}}};
  std::string url = "${base}/do";
  if (!results.empty() && luck.happens(400))
    url += "/{results." + luck.pick(results) + ".call}";
  return {{"http", {{"method", "POST"}, {"url", url}}}};
}

/// Columns that a step can fill from what a service answers; each column once in a workflow.
json draw_record(chance& luck, std::set<std::string>& taken) {
  static const std::array<std::pair<const char*, const char*>, 6> columns{
    {{"forecasts_generated", "/count"},
     {"notifications_sent", "/count"},
     {"quality_score", "/score"},
     {"fulfillment_rate", "/score"},
     {"forecast_id", "/id"},
     {"forecast_data", ""}}};
  json record = json::object();
  for (const auto& [column, pointer] : columns)
    if (luck.happens(150) && taken.insert(column).second)
      record[column] = pointer;
  return record;
}

} // namespace

drawn_workflow draw_workflow(chance& luck, const std::string& name, int32_t version) {
  drawn_workflow drawn{name, version, {}, {}};
  const auto count = luck.between(1, luck.happens(300) ? 6 : 4);
  std::set<std::string> columns;
  std::vector<json> steps;
  for (int64_t i = 0; i < count; ++i) {
    const std::string step_name(1, static_cast<char>('a' + i));
    json step{{"name", step_name}, {"timeout", milliseconds(luck.between(100, 4000))}, {"retry", draw_retry(luck, 4)}};
    json needs = json::array();
    json after = json::array();
    std::vector<std::string> results;
    for (const auto& earlier : drawn.steps) {
      if (luck.happens(400)) {
        needs.push_back(earlier);
        results.push_back(earlier);
      } else if (luck.happens(150)) {
        after.push_back(earlier);
      }
    }
    step["needs"] = needs;
    step["after"] = after;
    step["call"] = draw_call(luck, results);
    if (luck.happens(250))
      step["on_failure"] = "continue";
    if (luck.happens(300))
      step["effect"] = "none";
    if (luck.happens(450)) {
      results.push_back(step_name);
      step["compensate"] = draw_call(luck, results);
      step["compensate"]["timeout"] = milliseconds(luck.between(100, 3000));
      step["compensate"]["retry"] = draw_retry(luck, 4);
      if (luck.happens(400))
        step["compensate_when"] = "attempted";
    }
    if (luck.happens(500) && i < audit_group_count)
      step["audit"] = to_string(static_cast<audit_group>(i));
    step["record"] = draw_record(luck, columns);
    drawn.steps.push_back(step_name);
    steps.push_back(std::move(step));
  }
  // The order of the steps in a definition says nothing; so it is any.
  for (size_t i = steps.size(); i > 1; --i)
    std::swap(steps[i - 1], steps[luck.below(i)]);
  json body{{"workflow", name}, {"version", version}, {"steps", steps}};
  if (luck.happens(350))
    body["run_retries"] = {
      {"max", luck.between(1, 2)}, {"initial_interval", milliseconds(luck.between(50, 4000))}, {"max_interval", "10s"}};
  drawn.body = body.dump();
  return drawn;
}

} // namespace levain::simulation
