#include "persistence/audit_columns.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include "persistence/event_columns.hpp"
#include "persistence/plain_line.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

/// A column as it is read.
struct read_column {
  const char* name;
  void (*take)(const pqxx::field&, audit_row&);
};

void take(const pqxx::field& field, std::string& to) {
  to.assign(field.c_str(), field.size());
}
void take(const pqxx::field& field, int32_t& to) {
  to = field.as<int32_t>();
}
void take(const pqxx::field& field, bool& to) {
  to = field.as<bool>();
}
void take(const pqxx::field& field, uuid& to) {
  to = read_uuid(field);
}
void take(const pqxx::field& field, run_id& to) {
  to.value = read_uuid(field);
}
void take(const pqxx::field& field, tenant_id& to) {
  to.value = read_uuid(field);
}
void take(const pqxx::field& field, timestamp& to) {
  to = read_timestamp(field);
}
void take(const pqxx::field& field, run_status& to) {
  const auto status = parse_run_status(field.c_str());
  if (!status)
    throw std::runtime_error(std::string("column status: '") + field.c_str() + "' is unknown to this program");
  to = *status;
}
template <class Value>
void take(const pqxx::field& field, std::optional<Value>& to) {
  to.reset();
  if (field.is_null())
    return;
  Value value{};
  take(field, value);
  to = std::move(value);
}

template <auto Member>
void read_member(const pqxx::field& field, audit_row& row) {
  take(field, row.*Member);
}

template <audit_group Group, auto Member>
void read_step(const pqxx::field& field, audit_row& row) {
  take(field, row.step(Group).*Member);
}

/// Null in rows that others wrote.
void read_workflow(const pqxx::field& field, audit_row& row) {
  row.workflow = field.is_null() ? std::string() : std::string(field.c_str(), field.size());
}
void read_workflow_version(const pqxx::field& field, audit_row& row) {
  row.workflow_version = field.is_null() ? 0 : field.as<int32_t>();
}

using r = audit_row;
using s = audit_step;
using g = audit_group;

constexpr std::array columns = {
  read_column{"id", read_member<&r::id>},
  read_column{"run_number", read_member<&r::run_number>},
  read_column{"tenant_id", read_member<&r::tenant>},
  read_column{"status", read_member<&r::status>},
  read_column{"run_type", read_member<&r::run_type>},
  read_column{"priority", read_member<&r::priority>},
  read_column{"started_at", read_member<&r::started_at>},
  read_column{"completed_at", read_member<&r::completed_at>},
  read_column{"duration_seconds", read_member<&r::duration_seconds>},
  read_column{"forecasting_started_at", read_step<g::forecasting, &s::started_at>},
  read_column{"forecasting_completed_at", read_step<g::forecasting, &s::completed_at>},
  read_column{"forecasting_status", read_step<g::forecasting, &s::status>},
  read_column{"forecasting_error", read_step<g::forecasting, &s::error>},
  read_column{"production_started_at", read_step<g::production, &s::started_at>},
  read_column{"production_completed_at", read_step<g::production, &s::completed_at>},
  read_column{"production_status", read_step<g::production, &s::status>},
  read_column{"production_error", read_step<g::production, &s::error>},
  read_column{"procurement_started_at", read_step<g::procurement, &s::started_at>},
  read_column{"procurement_completed_at", read_step<g::procurement, &s::completed_at>},
  read_column{"procurement_status", read_step<g::procurement, &s::status>},
  read_column{"procurement_error", read_step<g::procurement, &s::error>},
  read_column{"notification_started_at", read_step<g::notification, &s::started_at>},
  read_column{"notification_completed_at", read_step<g::notification, &s::completed_at>},
  read_column{"notification_status", read_step<g::notification, &s::status>},
  read_column{"notification_error", read_step<g::notification, &s::error>},
  read_column{"ai_insights_started_at", read_step<g::ai_insights, &s::started_at>},
  read_column{"ai_insights_completed_at", read_step<g::ai_insights, &s::completed_at>},
  read_column{"ai_insights_status", read_step<g::ai_insights, &s::status>},
  read_column{"ai_insights_error", read_step<g::ai_insights, &s::error>},
  read_column{"ai_insights_generated", read_member<&r::ai_insights_generated>},
  read_column{"ai_insights_posted", read_member<&r::ai_insights_posted>},
  read_column{"forecasts_generated", read_member<&r::forecasts_generated>},
  read_column{"production_batches_created", read_member<&r::production_batches_created>},
  read_column{"procurement_plans_created", read_member<&r::procurement_plans_created>},
  read_column{"purchase_orders_created", read_member<&r::purchase_orders_created>},
  read_column{"notifications_sent", read_member<&r::notifications_sent>},
  read_column{"forecast_data", read_member<&r::forecast_data>},
  read_column{"run_metadata", read_member<&r::run_metadata>},
  read_column{"retry_count", read_member<&r::retry_count>},
  read_column{"max_retries_reached", read_member<&r::max_retries_reached>},
  read_column{"error_message", read_member<&r::error_message>},
  read_column{"error_details", read_member<&r::error_details>},
  read_column{"forecast_id", read_member<&r::forecast_id>},
  read_column{"production_schedule_id", read_member<&r::production_schedule_id>},
  read_column{"procurement_plan_id", read_member<&r::procurement_plan_id>},
  read_column{"saga_steps_total", read_member<&r::saga_steps_total>},
  read_column{"saga_steps_completed", read_member<&r::saga_steps_completed>},
  read_column{"created_at", read_member<&r::created_at>},
  read_column{"updated_at", read_member<&r::updated_at>},
  read_column{"triggered_by", read_member<&r::triggered_by>},
  read_column{"fulfillment_rate", read_member<&r::fulfillment_rate>},
  read_column{"on_time_delivery_rate", read_member<&r::on_time_delivery_rate>},
  read_column{"cost_accuracy", read_member<&r::cost_accuracy>},
  read_column{"quality_score", read_member<&r::quality_score>},
  read_column{"workflow", read_workflow},
  read_column{"workflow_version", read_workflow_version},
  read_column{"attention", read_member<&r::attention>},
};

/// Stands after the table's columns; `id` is the outer row's, whatever the statement calls it.
constexpr const char* stopped_column =
  "(select stop.kind || ': ' || stop.reason from stopped_runs as stop where stop.run_id = id) as stopped";

/// Can be a megabyte each.
constexpr std::array<std::string_view, 2> document_columns = {"forecast_data", "run_metadata"};

bool is_document(std::string_view column) {
  return std::find(document_columns.begin(), document_columns.end(), column) != document_columns.end();
}

std::string joined_names(bool with_documents) {
  std::string names;
  for (const auto& column : columns) {
    const std::string name(column.name);
    names += (with_documents || !is_document(name) ? name : "null::jsonb as " + name) + ", ";
  }
  return names + stopped_column;
}

/// What a reader threw about a column, which it names or not.
std::string naming_column(const char* column, const std::exception& damage) {
  const auto beginning = std::string("column ") + column + ": ";
  const std::string said = damage.what();
  return plain_line(said.starts_with(beginning) ? said : beginning + said, reason_bytes_max);
}

} // namespace

const std::string& audit_columns() {
  static const std::string names = joined_names(true);
  return names;
}

const std::string& audit_columns_without_documents() {
  static const std::string names = joined_names(false);
  return names;
}

size_t audit_column_count() {
  return columns.size();
}

std::vector<damaged_column> read_audit_row(const pqxx::row& row, audit_row& to, int first) {
  std::vector<damaged_column> unreadable;
  for (const auto& column : columns) {
    try {
      column.take(row[first], to);
    } catch (const std::exception& damage) {
      unreadable.push_back({column.name, naming_column(column.name, damage)});
    }
    ++first;
  }
  take(row[first], to.stopped);
  return unreadable;
}

} // namespace levain
