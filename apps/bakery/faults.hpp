#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/bakery/json_place.hpp"
#include "persistence/uuid.hpp"

namespace levain::bakery {

/// The five services, by the names that faults use.
inline constexpr std::array<std::string_view, 5> service_names{
  "forecasting", "production", "procurement", "notifications", "insights"};

/// No call is slowed by more.
inline constexpr std::chrono::milliseconds fault_delay_max{3'600'000};

/// A way in which a service misbehaves on purpose.
struct fault {
  /// Whose calls; everybody's when absent.
  std::optional<uuid> tenant;
  /// `POST` (the work) or `DELETE` (its undo); both when empty.
  std::string method;
  /// Answered instead of the result, 400 to 599; 0 only slows.
  int status = 503;
  /// The share of calls it meets, 0 to 1. Drawn from key and attempt, so that a repeated demonstration goes the same
  /// way.
  double rate = 1;
  /// The work is done and kept, only its answer is lost.
  bool answer_lost = false;
  /// How long the call waits before anything happens.
  std::chrono::milliseconds delay{0};
  bool operator==(const fault&) const = default;
};

/// Service name to its faults.
using fault_plan = std::map<std::string, std::vector<fault>>;

/// What the faults make of one call.
struct call_fate {
  /// 0: answered as usual.
  int status = 0;
  bool answer_lost = false;
  std::chrono::milliseconds delay{0};
  bool operator==(const call_fate&) const = default;
};

/// `{"insights": {"tenant": "...", "status": 503}, "production": [{"slow_ms": 200}, ...]}`; `null` for none. Throws
/// `bad_input`.
fault_plan parse_faults(const json_place& from);
nlohmann::json to_json(const fault_plan& plan);

/// Adds `SERVICE[:RATE|:always][@TENANT]`. Throws `std::invalid_argument` with a sentence.
void add_fail_option(fault_plan& plan, std::string_view option);
/// Adds `SERVICE:MS[@TENANT]`. Throws `std::invalid_argument` with a sentence.
void add_slow_option(fault_plan& plan, std::string_view option);

/// The first fault that meets the call decides its status; delays add up.
call_fate decide_fate(
  const fault_plan& plan, const std::string& service, std::string_view method, const uuid& tenant,
  const std::string& key, uint32_t attempt);

} // namespace levain::bakery
