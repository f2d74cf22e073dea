#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/ids.hpp"

namespace levain {

/// The values of the database type `orchestrationstatus`.
enum class run_status : uint8_t { pending, running, completed, partial_success, failed, cancelled };

std::string_view to_string(run_status status);
std::optional<run_status> parse_run_status(std::string_view text);

/// True once nothing more happens to the run by itself.
bool is_ended(run_status status);

/// The groups of step columns that the audit table has.
enum class audit_group : uint8_t { forecasting, production, procurement, notification, ai_insights };

inline constexpr int audit_group_count = 5;

std::string_view to_string(audit_group group);
std::optional<audit_group> parse_audit_group(std::string_view text);

/// The four columns of one group.
struct audit_step {
  std::optional<timestamp> started_at;
  std::optional<timestamp> completed_at;
  /// `success`, `failed` or `skipped`.
  std::optional<std::string> status;
  std::optional<std::string> error;

  bool operator==(const audit_step&) const = default;
};

/// One row of `orchestration_runs`, column by column.
struct audit_row {
  run_id id;
  std::string run_number;
  tenant_id tenant;
  run_status status = run_status::pending;
  std::string run_type = "scheduled";
  std::string priority = "normal";
  timestamp started_at{};
  std::optional<timestamp> completed_at;
  std::optional<int32_t> duration_seconds;

  std::array<audit_step, audit_group_count> steps;
  audit_step& step(audit_group group) { return steps[static_cast<size_t>(group)]; }
  const audit_step& step(audit_group group) const { return steps[static_cast<size_t>(group)]; }

  int32_t ai_insights_generated = 0;
  int32_t ai_insights_posted = 0;
  int32_t forecasts_generated = 0;
  int32_t production_batches_created = 0;
  int32_t procurement_plans_created = 0;
  int32_t purchase_orders_created = 0;
  int32_t notifications_sent = 0;

  /// JSON text.
  std::optional<std::string> forecast_data;
  std::optional<std::string> run_metadata;

  int32_t retry_count = 0;
  bool max_retries_reached = false;
  std::optional<std::string> error_message;
  std::optional<std::string> error_details;

  std::optional<uuid> forecast_id;
  std::optional<uuid> production_schedule_id;
  std::optional<uuid> procurement_plan_id;

  int32_t saga_steps_total = 0;
  int32_t saga_steps_completed = 0;

  timestamp created_at{};
  /// The time of the newest event the row contains.
  timestamp updated_at{};
  std::optional<std::string> triggered_by;

  std::optional<int32_t> fulfillment_rate;
  std::optional<int32_t> on_time_delivery_rate;
  std::optional<int32_t> cost_accuracy;
  std::optional<int32_t> quality_score;

  /// Beyond the documented columns: the workflow that the run is pinned to; empty in rows Levain did not write.
  std::string workflow;
  int32_t workflow_version = 0;
  /// Beyond the documented columns: why a person has to look at this run although nothing more will happen by itself
  /// (a compensation that failed); absent where nobody has to.
  std::optional<std::string> attention;
  /// From `stopped_runs`: why nobody acts for the run, `kind: reason`; absent for runs that go on or have ended. Only
  /// read with the row, never written with it.
  std::optional<std::string> stopped;

  bool operator==(const audit_row&) const = default;
};

} // namespace levain
