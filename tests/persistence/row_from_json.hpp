#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "persistence/audit_row.hpp"

namespace levain::test {

/// Reads a row by the names of its columns, apart from how the product reads and writes them.
inline audit_row row_from_json(const nlohmann::json& json) {
  const auto text = [&](const std::string& name) -> std::optional<std::string> {
    return json.at(name).is_null() ? std::nullopt : std::optional(json.at(name).get<std::string>());
  };
  const auto time = [&](const std::string& name) -> std::optional<timestamp> {
    return json.at(name).is_null() ? std::nullopt : parse_timestamp(json.at(name).get<std::string>());
  };
  const auto number = [&](const std::string& name) -> std::optional<int32_t> {
    return json.at(name).is_null() ? std::nullopt : std::optional(json.at(name).get<int32_t>());
  };
  const auto id = [&](const std::string& name) -> std::optional<uuid> {
    return json.at(name).is_null() ? std::nullopt : uuid::parse(json.at(name).get<std::string>());
  };
  const auto value = [&](const std::string& name) -> std::optional<std::string> {
    return json.at(name).is_null() ? std::nullopt : std::optional(json.at(name).dump());
  };
  audit_row row;
  row.id = run_id{id("id").value()};
  row.run_number = text("run_number").value();
  row.tenant = tenant_id{id("tenant_id").value()};
  row.status = parse_run_status(text("status").value()).value();
  row.run_type = text("run_type").value();
  row.priority = text("priority").value();
  row.started_at = time("started_at").value();
  row.completed_at = time("completed_at");
  row.duration_seconds = number("duration_seconds");
  for (int i = 0; i < audit_group_count; ++i) {
    const auto group = static_cast<audit_group>(i);
    const std::string prefix(to_string(group));
    row.step(group) = {
      time(prefix + "_started_at"), time(prefix + "_completed_at"), text(prefix + "_status"), text(prefix + "_error")};
  }
  row.ai_insights_generated = number("ai_insights_generated").value();
  row.ai_insights_posted = number("ai_insights_posted").value();
  row.forecasts_generated = number("forecasts_generated").value();
  row.production_batches_created = number("production_batches_created").value();
  row.procurement_plans_created = number("procurement_plans_created").value();
  row.purchase_orders_created = number("purchase_orders_created").value();
  row.notifications_sent = number("notifications_sent").value();
  row.forecast_data = value("forecast_data");
  row.run_metadata = value("run_metadata");
  row.retry_count = number("retry_count").value();
  row.max_retries_reached = json.at("max_retries_reached").get<bool>();
  row.error_message = text("error_message");
  row.error_details = value("error_details");
  row.forecast_id = id("forecast_id");
  row.production_schedule_id = id("production_schedule_id");
  row.procurement_plan_id = id("procurement_plan_id");
  row.saga_steps_total = number("saga_steps_total").value();
  row.saga_steps_completed = number("saga_steps_completed").value();
  row.created_at = time("created_at").value();
  row.updated_at = time("updated_at").value();
  row.triggered_by = text("triggered_by");
  row.fulfillment_rate = number("fulfillment_rate");
  row.on_time_delivery_rate = number("on_time_delivery_rate");
  row.cost_accuracy = number("cost_accuracy");
  row.quality_score = number("quality_score");
  row.workflow = text("workflow").value_or("");
  row.workflow_version = number("workflow_version").value_or(0);
  row.attention = text("attention");
  return row;
}

} // namespace levain::test
