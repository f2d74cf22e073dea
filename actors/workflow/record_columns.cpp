#include "actors/workflow/record_columns.hpp"

#include <algorithm>
#include <array>

namespace levain {

namespace {

using type = record_column::type_type;

constexpr std::array columns = {
  record_column{"ai_insights_generated", type::counter},
  record_column{"ai_insights_posted", type::counter},
  record_column{"forecasts_generated", type::counter},
  record_column{"production_batches_created", type::counter},
  record_column{"procurement_plans_created", type::counter},
  record_column{"purchase_orders_created", type::counter},
  record_column{"notifications_sent", type::counter},
  record_column{"forecast_data", type::json},
  record_column{"forecast_id", type::uuid},
  record_column{"production_schedule_id", type::uuid},
  record_column{"procurement_plan_id", type::uuid},
  record_column{"fulfillment_rate", type::metric},
  record_column{"on_time_delivery_rate", type::metric},
  record_column{"cost_accuracy", type::metric},
  record_column{"quality_score", type::metric},
};

} // namespace

std::span<const record_column> record_columns() {
  return columns;
}

const record_column* find_record_column(std::string_view name) {
  const auto found = std::ranges::find(columns, name, &record_column::name);
  return found == columns.end() ? nullptr : &*found;
}

std::string_view describe_range(record_column::type_type type) {
  switch (type) {
  case record_column::type_type::counter:
    return "a whole number from 0 to 2147483647";
  case record_column::type_type::metric:
    return "a whole number from 0 to 100";
  case record_column::type_type::uuid:
    return "a UUID such as 018f2c3e-7b1a-7c44-9a51-3d2e0f6b7a10";
  case record_column::type_type::json:
    return "any JSON value";
  }
  return "";
}

} // namespace levain
