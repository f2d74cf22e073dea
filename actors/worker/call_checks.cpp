#include "actors/worker/call_checks.hpp"

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "actors/cluster/wire_limits.hpp"
#include "actors/worker/worker_limits.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

namespace {

using nlohmann::json;

constexpr size_t excerpt_bytes_max = 100;

std::optional<std::string> wrong_text(const char* name, const std::string& value, size_t bytes_max) {
  if (!value.empty() && value.size() <= bytes_max)
    return std::nullopt;
  return fmt::format("the call's {} has {} bytes, not 1 to {}", name, value.size(), bytes_max);
}

std::optional<std::string> wrong_number(const char* name, int64_t value, int64_t min, int64_t max) {
  if (value >= min && value <= max)
    return std::nullopt;
  return fmt::format("the call's {} is {}, not {} to {}", name, value, min, max);
}

} // namespace

std::optional<std::string> fault_in_head(const call_given& call) {
  const int64_t longest = std::chrono::milliseconds(call_time_left_max).count();
  const std::array checks{
    wrong_text("kind", call.kind, wire_kind_bytes_max),
    wrong_text("key", call.key, wire_key_bytes_max),
    wrong_text("step", call.step, call_name_bytes_max),
    wrong_text("run number", call.run_number, call_name_bytes_max),
    wrong_number("attempt", call.attempt, 1, UINT32_MAX),
    wrong_number("epoch", call.epoch, 0, INT64_MAX),
    wrong_number("time left", call.time_left, 1, longest),
    wrong_number("heartbeat", call.heartbeat, 0, longest),
  };
  for (const auto& each : checks)
    if (each)
      return each;
  return std::nullopt;
}

namespace {

/// The body read; what is nested too deep is given up on the way down.
std::variant<json, nonsense> read_body(const std::string& text) {
  bool too_deep = false;
  const auto look = [&too_deep](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > static_cast<int>(call_body_depth_max);
    return !too_deep;
  };
  try {
    auto body = json::parse(text, look);
    if (too_deep)
      return nonsense{fmt::format("the call's body is nested deeper than {} levels", call_body_depth_max)};
    for (const char* each : {"run", "input", "results"})
      if (!body.is_object() || !body.contains(each))
        return nonsense{fmt::format("the call's body is no object with '{}'", each)};
    if (!body["run"].is_object() || !body["results"].is_object())
      return nonsense{"the call's body has a 'run' or 'results' that is no object"};
    return body;
  } catch (const json::exception& wrong) {
    return nonsense{"the call's body is not JSON: " + plain_line(wrong.what(), excerpt_bytes_max)};
  }
}

} // namespace

std::variant<arrived_call, nonsense> check_call(call_given given) {
  if (auto wrong = fault_in_head(given))
    return nonsense{std::move(*wrong)};
  if (auto wrong = wrong_text("body", given.body, wire_body_bytes_max))
    return nonsense{std::move(*wrong)};
  auto read = read_body(given.body);
  if (auto* wrong = std::get_if<nonsense>(&read))
    return std::move(*wrong);
  auto text = std::make_shared<const std::string>(std::exchange(given.body, {}));
  return arrived_call{std::move(given), std::make_shared<const json>(std::move(std::get<json>(read))), std::move(text)};
}

std::variant<std::vector<wire_address>, nonsense> check_gates(const std::vector<std::string>& gates) {
  if (gates.size() > gates_known_max)
    return nonsense{fmt::format("{} gates are listed, more than {}", gates.size(), gates_known_max)};
  std::vector<wire_address> read;
  for (const auto& each : gates) {
    auto address = parse_wire_address(each);
    if (!address)
      return nonsense{"a gate is listed as '" + plain_line(each, excerpt_bytes_max) + "', which is no HOST:PORT"};
    read.push_back(std::move(*address));
  }
  return read;
}

} // namespace levain
