#include "tests/simulation/auditor/recorded_values.hpp"

#include <cmath>
#include <limits>
#include <variant>

namespace levain::simulation {

namespace {

using nlohmann::json;

using counter = int32_t audit_row::*;
using metric = std::optional<int32_t> audit_row::*;
using identity = std::optional<uuid> audit_row::*;
using document = std::optional<std::string> audit_row::*;

struct column {
  std::string_view name;
  std::variant<counter, metric, identity, document> where;
};

const column columns[] = {
  {"ai_insights_generated", &audit_row::ai_insights_generated},
  {"ai_insights_posted", &audit_row::ai_insights_posted},
  {"forecasts_generated", &audit_row::forecasts_generated},
  {"production_batches_created", &audit_row::production_batches_created},
  {"procurement_plans_created", &audit_row::procurement_plans_created},
  {"purchase_orders_created", &audit_row::purchase_orders_created},
  {"notifications_sent", &audit_row::notifications_sent},
  {"forecast_data", &audit_row::forecast_data},
  {"forecast_id", &audit_row::forecast_id},
  {"production_schedule_id", &audit_row::production_schedule_id},
  {"procurement_plan_id", &audit_row::procurement_plan_id},
  {"fulfillment_rate", &audit_row::fulfillment_rate},
  {"on_time_delivery_rate", &audit_row::on_time_delivery_rate},
  {"cost_accuracy", &audit_row::cost_accuracy},
  {"quality_score", &audit_row::quality_score},
};

constexpr double metric_max = 100;

bool is_whole(const json& value, double most) {
  if (!value.is_number())
    return false;
  const auto number = value.get<double>();
  return std::trunc(number) == number && number >= 0 && number <= most;
}

/// Puts the value into its column; false when it does not fit.
bool put(audit_row& row, const column& into, const json& value) {
  if (const auto* where = std::get_if<counter>(&into.where)) {
    if (!is_whole(value, std::numeric_limits<int32_t>::max()))
      return false;
    row.** where = static_cast<int32_t>(value.get<double>());
  } else if (const auto* rate = std::get_if<metric>(&into.where)) {
    if (!is_whole(value, metric_max))
      return false;
    row.** rate = static_cast<int32_t>(value.get<double>());
  } else if (const auto* id = std::get_if<identity>(&into.where)) {
    row.** id = value.is_string() ? uuid::parse(value.get<std::string>()) : std::nullopt;
    return (row.**id).has_value();
  } else {
    row.*std::get<document>(into.where) = value.dump();
  }
  return true;
}

bool put_all(audit_row& row, const step_known& step, const json& output) {
  bool all = true;
  for (const auto& each : step.records) {
    const json::json_pointer pointer(each.pointer);
    bool taken = false;
    for (const auto& into : columns)
      if (into.name == each.column && output.contains(pointer))
        taken = put(row, into, output.at(pointer));
    all = all && taken;
  }
  return all;
}

} // namespace

bool fits_columns(const step_known& step, const json& output) {
  audit_row row;
  return put_all(row, step, output);
}

void fill_columns(audit_row& row, const step_known& step, const json& output) {
  put_all(row, step, output);
}

} // namespace levain::simulation
