#include "apps/load/shape.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/workflow/parse_definition.hpp"

namespace levain::load {

namespace {

using nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> names{"chain", "wide", "dag", "wait"};

/// A step gets so many times its usual time before it counts as lost, and at least the default.
constexpr int timeout_times = 20;
constexpr duration timeout_least = std::chrono::seconds(30);

/// 64 bits of FNV-1a (Fowler, Noll, Vo): enough to tell the few definitions of one database apart.
uint64_t fingerprint(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char each : text)
    hash = (hash ^ static_cast<unsigned char>(each)) * 0x100000001b3ULL;
  return hash;
}

std::string step_name(size_t number) {
  return fmt::format("step{}", number + 1);
}

/// The numbers of the steps that each step needs.
std::vector<std::vector<size_t>> needs_of(const shape_options& options) {
  const size_t steps = options.kind == shape_kind::wait ? 2 : options.steps;
  std::vector<std::vector<size_t>> needs(steps);
  if (options.kind == shape_kind::wide) {
    for (size_t i = 0; i + 1 < steps; ++i)
      needs.back().push_back(i);
    return needs;
  }
  // Layers, one or two steps wide; a chain has only narrow ones.
  std::vector<size_t> before;
  bool broad = false;
  for (size_t first = 0; first < steps; broad = options.kind == shape_kind::dag && !broad) {
    std::vector<size_t> layer;
    for (; first < steps && layer.size() < (broad ? 2U : 1U); ++first) {
      needs[first] = before;
      layer.push_back(first);
    }
    before = std::move(layer);
  }
  return needs;
}

ordered_json simulate_json(const shape_options& options, duration time) {
  ordered_json call{{"time", format_duration(time)}};
  if (options.distribution != "constant")
    call["distribution"] = options.distribution;
  if (options.distribution == "uniform")
    call["time_max"] = format_duration(time * 2);
  if (options.distribution == "lognormal")
    call["sigma"] = options.sigma;
  if (options.fail_rate > 0)
    call["fail_rate"] = options.fail_rate;
  if (options.fail_final_rate > 0)
    call["fail_final_rate"] = options.fail_final_rate;
  if (options.output_bytes > 0)
    call["output"] = ordered_json::parse(json_of_bytes(options.output_bytes));
  call["seed"] = options.seed;
  return call;
}

} // namespace

std::string_view to_string(shape_kind kind) {
  return names[static_cast<size_t>(kind)];
}

std::optional<shape_kind> parse_shape_kind(std::string_view text) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == text)
      return static_cast<shape_kind>(i);
  return std::nullopt;
}

std::string json_of_bytes(size_t bytes) {
  constexpr std::string_view frame = R"({"fill":""})";
  if (bytes < frame.size())
    return "{}";
  return fmt::format(R"({{"fill":"{}"}})", std::string(bytes - frame.size(), 'x'));
}

std::string shape_definition(const shape_options& options) {
  const auto needs = needs_of(options);
  auto steps = ordered_json::array();
  for (size_t i = 0; i < needs.size(); ++i) {
    const bool long_wait = options.kind == shape_kind::wait && i == 0;
    const auto time = long_wait ? options.wait : options.step_time;
    ordered_json step{{"name", long_wait ? "wait" : step_name(i)}};
    for (const auto before : needs[i])
      step["needs"].push_back(steps[before]["name"]);
    step["call"]["simulate"] = simulate_json(options, time);
    step["timeout"] = format_duration(std::clamp(time * timeout_times, timeout_least, step_timeout_max));
    if (!options.external)
      step["effect"] = "none";
    steps.push_back(std::move(step));
  }
  const ordered_json body{{"version", 1}, {"steps", std::move(steps)}};
  ordered_json definition{
    {"workflow", fmt::format("load_{}_{:016x}", to_string(options.kind), fingerprint(body.dump()))}};
  definition.update(body);
  return definition.dump();
}

} // namespace levain::load
