#include "apps/bakery/faults.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <fmt/core.h>

#include "persistence/sha256.hpp"

namespace levain::bakery {

namespace {

bool is_service(std::string_view name) {
  return std::find(service_names.begin(), service_names.end(), name) != service_names.end();
}

std::string all_services() {
  std::string text;
  for (auto name : service_names)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
  return text;
}

fault parse_fault(const json_place& from) {
  fault result;
  bool has_status = false;
  bool has_delay = false;
  for (const auto& [name, place] : from.members()) {
    if (name == "tenant") {
      result.tenant = uuid::parse(place.text());
      if (!result.tenant)
        place.refuse(fmt::format("must be a UUID, not `{}`", place.text()));
    } else if (name == "method") {
      result.method = place.text();
      if (result.method != "POST" && result.method != "DELETE")
        place.refuse(fmt::format("must be POST or DELETE, not `{}`", result.method));
    } else if (name == "status") {
      has_status = true;
      result.status = int(place.integer(400, 599));
    } else if (name == "rate") {
      result.rate = place.number(0, 1);
    } else if (name == "answer_lost") {
      if (!place.value().is_boolean())
        place.refuse("must be true or false");
      result.answer_lost = place.value().get<bool>();
    } else if (name == "slow_ms") {
      has_delay = true;
      result.delay = std::chrono::milliseconds(place.integer(0, fault_delay_max.count()));
    } else {
      place.refuse("is not known here; a fault has tenant, method, status, rate, answer_lost and slow_ms");
    }
  }
  // Someone who only asks for slowness does not want failures.
  if (!has_status && has_delay && !result.answer_lost)
    result.status = 0;
  return result;
}

/// The share of `key` and `attempt` in [0, 1).
double draw(const std::string& key, uint32_t attempt, size_t nth_fault) {
  auto hex = sha256_hex(fmt::format("{}/{}/{}", key, attempt, nth_fault)).substr(0, 13);
  return double(std::stoull(hex, nullptr, 16)) / double(1ULL << 52);
}

struct option_parts {
  std::string service;
  /// After the colon; absent without one.
  std::optional<std::string> setting;
  std::optional<uuid> tenant;
};

option_parts cut_option(std::string_view option, std::string_view form) {
  option_parts parts;
  auto rest = option;
  if (auto at = rest.find('@'); at != rest.npos) {
    parts.tenant = uuid::parse(rest.substr(at + 1));
    if (!parts.tenant)
      throw std::invalid_argument(fmt::format("`{}`: `{}` is not a tenant's UUID", option, rest.substr(at + 1)));
    rest = rest.substr(0, at);
  }
  if (auto colon = rest.find(':'); colon != rest.npos) {
    parts.setting = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  parts.service = rest;
  if (!is_service(rest))
    throw std::invalid_argument(
      fmt::format("`{}`: there is no service `{}`; want {} with one of {}", option, rest, form, all_services()));
  return parts;
}

} // namespace

fault_plan parse_faults(const json_place& from) {
  fault_plan plan;
  for (const auto& [name, place] : from.members()) {
    if (!is_service(name))
      place.refuse(fmt::format("is not a service; there are {}", all_services()));
    if (place.value().is_null())
      continue;
    if (!place.value().is_array()) {
      plan[name] = {parse_fault(place)};
      continue;
    }
    for (const auto& each : place.items())
      plan[name].push_back(parse_fault(each));
  }
  return plan;
}

nlohmann::json to_json(const fault_plan& plan) {
  auto result = nlohmann::json::object();
  for (const auto& [name, faults] : plan) {
    auto list = nlohmann::json::array();
    for (const auto& each : faults) {
      nlohmann::json entry{{"rate", each.rate}, {"answer_lost", each.answer_lost}, {"slow_ms", each.delay.count()}};
      if (each.status != 0)
        entry["status"] = each.status;
      if (each.tenant)
        entry["tenant"] = to_string(*each.tenant);
      if (!each.method.empty())
        entry["method"] = each.method;
      list.push_back(std::move(entry));
    }
    result[name] = std::move(list);
  }
  return result;
}

void add_fail_option(fault_plan& plan, std::string_view option) {
  auto parts = cut_option(option, "SERVICE[:RATE|:always][@TENANT]");
  fault added{.tenant = parts.tenant};
  if (parts.setting && *parts.setting != "always") {
    const auto& text = *parts.setting;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), added.rate);
    if (error != std::errc{} || end != text.data() + text.size() || !(added.rate >= 0 && added.rate <= 1))
      throw std::invalid_argument(
        fmt::format("`{}`: the rate must be `always` or from 0 to 1, not `{}`", option, text));
  }
  plan[parts.service].push_back(added);
}

void add_slow_option(fault_plan& plan, std::string_view option) {
  auto parts = cut_option(option, "SERVICE:MS[@TENANT]");
  auto text = parts.setting.value_or("");
  int64_t milliseconds = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (
    text.empty() || error != std::errc{} || end != text.data() + text.size() || milliseconds < 0 ||
    milliseconds > fault_delay_max.count())
    throw std::invalid_argument(fmt::format(
      "`{}`: the milliseconds must be a whole number from 0 to {}, not `{}`", option, fault_delay_max.count(), text));
  plan[parts.service].push_back(
    {.tenant = parts.tenant, .status = 0, .delay = std::chrono::milliseconds(milliseconds)});
}

call_fate decide_fate(
  const fault_plan& plan, const std::string& service, std::string_view method, const uuid& tenant,
  const std::string& key, uint32_t attempt) {
  call_fate fate;
  auto faults = plan.find(service);
  if (faults == plan.end())
    return fate;
  for (size_t i = 0; i < faults->second.size(); ++i) {
    const auto& each = faults->second[i];
    bool meant = (!each.tenant || *each.tenant == tenant) && (each.method.empty() || each.method == method);
    if (!meant || draw(key, attempt, i) >= each.rate)
      continue;
    fate.delay = std::min(fault_delay_max, fate.delay + each.delay);
    if (fate.status == 0 && each.status != 0) {
      fate.status = each.status;
      fate.answer_lost = each.answer_lost;
    }
  }
  return fate;
}

} // namespace levain::bakery
