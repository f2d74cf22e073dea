#include "persistence/audit_writing.hpp"

#include <array>

#include "persistence/array_literal.hpp"

namespace levain {

namespace {

/// A column as it is written.
struct written_column {
  const char* name;
  /// The type of the array's elements. Text for the limited columns, because a cast to varchar(n) would cut silently
  /// where the assignment refuses.
  const char* type;
  void (*put)(array_literal&, const audit_row&);
};

void put(array_literal& to, const std::string& value) {
  to.quoted(value);
}
void put(array_literal& to, int32_t value) {
  to.number(value);
}
void put(array_literal& to, bool value) {
  to.boolean(value);
}
void put(array_literal& to, const uuid& value) {
  to.id(value);
}
void put(array_literal& to, const run_id& value) {
  to.id(value.value);
}
void put(array_literal& to, const tenant_id& value) {
  to.id(value.value);
}
void put(array_literal& to, timestamp value) {
  to.time(value);
}
void put(array_literal& to, run_status value) {
  to.plain(to_string(value));
}
template <class Value>
void put(array_literal& to, const std::optional<Value>& value) {
  if (value)
    put(to, *value);
  else
    to.null();
}

/// Writes one member of the row.
template <auto Member>
void put_member(array_literal& to, const audit_row& row) {
  put(to, row.*Member);
}

/// Writes one member of the columns of a step.
template <audit_group Group, auto Member>
void put_step(array_literal& to, const audit_row& row) {
  put(to, row.step(Group).*Member);
}

/// Null in rows without a workflow, as in rows that others write.
void put_workflow(array_literal& to, const audit_row& row) {
  if (row.workflow.empty())
    to.null();
  else
    to.quoted(row.workflow);
}
void put_workflow_version(array_literal& to, const audit_row& row) {
  if (row.workflow.empty())
    to.null();
  else
    to.number(row.workflow_version);
}

using r = audit_row;
using s = audit_step;
using g = audit_group;

// The id stands first: the update finds its rows by it.
constexpr std::array columns = {
  written_column{"id", "uuid", put_member<&r::id>},
  written_column{"run_number", "text", put_member<&r::run_number>},
  written_column{"tenant_id", "uuid", put_member<&r::tenant>},
  written_column{"status", "orchestrationstatus", put_member<&r::status>},
  written_column{"run_type", "text", put_member<&r::run_type>},
  written_column{"priority", "text", put_member<&r::priority>},
  written_column{"started_at", "timestamp", put_member<&r::started_at>},
  written_column{"completed_at", "timestamp", put_member<&r::completed_at>},
  written_column{"duration_seconds", "integer", put_member<&r::duration_seconds>},
  written_column{"forecasting_started_at", "timestamp", put_step<g::forecasting, &s::started_at>},
  written_column{"forecasting_completed_at", "timestamp", put_step<g::forecasting, &s::completed_at>},
  written_column{"forecasting_status", "text", put_step<g::forecasting, &s::status>},
  written_column{"forecasting_error", "text", put_step<g::forecasting, &s::error>},
  written_column{"production_started_at", "timestamp", put_step<g::production, &s::started_at>},
  written_column{"production_completed_at", "timestamp", put_step<g::production, &s::completed_at>},
  written_column{"production_status", "text", put_step<g::production, &s::status>},
  written_column{"production_error", "text", put_step<g::production, &s::error>},
  written_column{"procurement_started_at", "timestamp", put_step<g::procurement, &s::started_at>},
  written_column{"procurement_completed_at", "timestamp", put_step<g::procurement, &s::completed_at>},
  written_column{"procurement_status", "text", put_step<g::procurement, &s::status>},
  written_column{"procurement_error", "text", put_step<g::procurement, &s::error>},
  written_column{"notification_started_at", "timestamp", put_step<g::notification, &s::started_at>},
  written_column{"notification_completed_at", "timestamp", put_step<g::notification, &s::completed_at>},
  written_column{"notification_status", "text", put_step<g::notification, &s::status>},
  written_column{"notification_error", "text", put_step<g::notification, &s::error>},
  written_column{"ai_insights_started_at", "timestamp", put_step<g::ai_insights, &s::started_at>},
  written_column{"ai_insights_completed_at", "timestamp", put_step<g::ai_insights, &s::completed_at>},
  written_column{"ai_insights_status", "text", put_step<g::ai_insights, &s::status>},
  written_column{"ai_insights_error", "text", put_step<g::ai_insights, &s::error>},
  written_column{"ai_insights_generated", "integer", put_member<&r::ai_insights_generated>},
  written_column{"ai_insights_posted", "integer", put_member<&r::ai_insights_posted>},
  written_column{"forecasts_generated", "integer", put_member<&r::forecasts_generated>},
  written_column{"production_batches_created", "integer", put_member<&r::production_batches_created>},
  written_column{"procurement_plans_created", "integer", put_member<&r::procurement_plans_created>},
  written_column{"purchase_orders_created", "integer", put_member<&r::purchase_orders_created>},
  written_column{"notifications_sent", "integer", put_member<&r::notifications_sent>},
  written_column{"forecast_data", "jsonb", put_member<&r::forecast_data>},
  written_column{"run_metadata", "jsonb", put_member<&r::run_metadata>},
  written_column{"retry_count", "integer", put_member<&r::retry_count>},
  written_column{"max_retries_reached", "boolean", put_member<&r::max_retries_reached>},
  written_column{"error_message", "text", put_member<&r::error_message>},
  written_column{"error_details", "jsonb", put_member<&r::error_details>},
  written_column{"forecast_id", "uuid", put_member<&r::forecast_id>},
  written_column{"production_schedule_id", "uuid", put_member<&r::production_schedule_id>},
  written_column{"procurement_plan_id", "uuid", put_member<&r::procurement_plan_id>},
  written_column{"saga_steps_total", "integer", put_member<&r::saga_steps_total>},
  written_column{"saga_steps_completed", "integer", put_member<&r::saga_steps_completed>},
  written_column{"created_at", "timestamp", put_member<&r::created_at>},
  written_column{"updated_at", "timestamp", put_member<&r::updated_at>},
  written_column{"triggered_by", "text", put_member<&r::triggered_by>},
  written_column{"fulfillment_rate", "integer", put_member<&r::fulfillment_rate>},
  written_column{"on_time_delivery_rate", "integer", put_member<&r::on_time_delivery_rate>},
  written_column{"cost_accuracy", "integer", put_member<&r::cost_accuracy>},
  written_column{"quality_score", "integer", put_member<&r::quality_score>},
  written_column{"workflow", "text", put_workflow},
  written_column{"workflow_version", "integer", put_workflow_version},
  written_column{"attention", "text", put_member<&r::attention>},
};

// The statements are put together once from the list above, so that names, types and parameters cannot go apart.

std::string join(const std::string& separator, std::string (*piece)(size_t), size_t first = 0) {
  std::string joined;
  for (size_t i = first; i < columns.size(); ++i) {
    if (i > first)
      joined += separator;
    joined += piece(i);
  }
  return joined;
}

std::string name_piece(size_t i) {
  return columns[i].name;
}

// In the select list, where the arrays are walked side by side; in the from clause each would fill a table of its own
// first.
std::string unnest_piece(size_t i) {
  return "unnest($" + std::to_string(i + 1) + "::" + columns[i].type + "[])";
}

std::string named_unnest_piece(size_t i) {
  return unnest_piece(i) + " as " + columns[i].name;
}

std::string assignment_piece(size_t i) {
  return std::string(columns[i].name) + " = batch." + columns[i].name;
}

} // namespace

const std::string& audit_column_names() {
  static const std::string names = join(", ", name_piece);
  return names;
}

const std::string& insert_audit_rows_statement() {
  static const std::string statement =
    "insert into orchestration_runs (" + audit_column_names() + ")\nselect " + join(", ", unnest_piece);
  return statement;
}

const std::string& restore_audit_rows_statement() {
  static const std::string statement = insert_audit_rows_statement() + "\non conflict (id) do nothing";
  return statement;
}

const std::string& update_audit_rows_statement() {
  static const std::string statement = "update orchestration_runs as run\nset " + join(", ", assignment_piece, 1) +
                                       "\nfrom (select " + join(", ", named_unnest_piece) +
                                       ") as batch\nwhere run.id = batch.id";
  return statement;
}

std::vector<std::string> audit_rows_parameters(const std::vector<const audit_row*>& rows) {
  std::vector<std::string> parameters;
  parameters.reserve(columns.size());
  for (const written_column& column : columns) {
    array_literal values;
    for (const audit_row* row : rows)
      column.put(values, *row);
    parameters.push_back(values.take());
  }
  return parameters;
}

} // namespace levain
