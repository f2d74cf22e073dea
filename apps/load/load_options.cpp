#include "apps/load/load_options.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actors/workflow/parse_definition.hpp"

namespace levain::load {

namespace {

std::string tenants_text(const std::vector<double>& weights) {
  const bool equal = std::all_of(weights.begin(), weights.end(), [&](double each) { return each == weights.front(); });
  if (equal)
    return std::to_string(weights.size());
  std::string text;
  for (size_t i = 0; i < weights.size();) {
    const auto begin = i;
    while (i < weights.size() && weights[i] == weights[begin])
      ++i;
    text += fmt::format("{}{}x{}", text.empty() ? "" : ",", i - begin, weights[begin]);
  }
  return text;
}

std::string priorities_text(const priority_weights& weights) {
  std::string text;
  for (size_t i = 0; i < weights.size(); ++i)
    if (weights[i] > 0)
      text += fmt::format("{}{}={}", text.empty() ? "" : ",", priority_names[i], weights[i]);
  return text;
}

void add_shape(std::map<std::string, std::string>& settings, const shape_options& shape) {
  settings["shape"] = to_string(shape.kind);
  settings["steps"] = std::to_string(shape.steps);
  settings["step_time"] = format_duration(shape.step_time);
  settings["distribution"] = shape.distribution;
  if (shape.distribution == "lognormal")
    settings["sigma"] = fmt::format("{}", shape.sigma);
  settings["fail_rate"] = fmt::format("{}", shape.fail_rate);
  settings["fail_final_rate"] = fmt::format("{}", shape.fail_final_rate);
  if (shape.kind == shape_kind::wait)
    settings["wait"] = format_duration(shape.wait);
  settings["effect"] = shape.external ? "external" : "none";
  settings["output_bytes"] = std::to_string(shape.output_bytes);
}

} // namespace

std::map<std::string, std::string> settings_of(const load_options& options) {
  std::map<std::string, std::string> settings;
  if (options.definition.empty())
    add_shape(settings, options.shape);
  else
    settings["shape"] = "a definition of one's own";
  settings["seed"] = std::to_string(options.mix.seed);
  if (options.input.empty())
    settings["input_bytes"] = std::to_string(options.input_bytes);
  else
    settings["input"] = "of one's own";
  settings["tenants"] = tenants_text(options.mix.tenants);
  settings["priorities"] = priorities_text(options.mix.priorities);
  settings["keys"] = options.keys ? "yes" : "no";
  settings["ask_again"] = options.ask_again ? "yes" : "no";
  settings["repeat_rate"] = fmt::format("{}", options.mix.repeat_rate);
  if (options.pace.rate)
    settings["rate"] = fmt::format("{}", *options.pace.rate);
  else
    settings["in_flight"] = std::to_string(options.pace.in_flight);
  settings["ramp"] = format_duration(options.pace.ramp);
  if (options.runs)
    settings["runs"] = std::to_string(*options.runs);
  if (options.length)
    settings["duration"] = format_duration(*options.length);
  return settings;
}

} // namespace levain::load
