#include "tests/simulation/auditor/row_story.hpp"

#include <algorithm>

#include "tests/simulation/auditor/recorded_values.hpp"

namespace levain::simulation {

namespace {

using step_at = step_story::stage_type;

constexpr const char* present = "-";

std::string shown(const std::string& value) {
  return value;
}
std::string shown(std::string_view value) {
  return std::string(value);
}
std::string shown(timestamp value) {
  return to_rfc3339(value);
}
std::string shown(int32_t value) {
  return std::to_string(value);
}
std::string shown(bool value) {
  return value ? "true" : "false";
}
std::string shown(const uuid& value) {
  return to_string(value);
}
template <class T>
std::string shown(const std::optional<T>& value) {
  return value ? shown(*value) : std::string("nothing");
}

/// Compares column by column and keeps the first difference.
class comparison {
public:
  template <class T>
  void same(const char* column, const T& expected, const T& found) {
    if (!difference_ && expected != found)
      difference_ = std::string(column) + " is " + shown(found) + ", the journal says " + shown(expected);
  }
  void both_present(
    const char* column, const std::optional<std::string>& expected, const std::optional<std::string>& found) {
    same(column, expected.has_value(), found.has_value());
  }
  const std::optional<std::string>& difference() const { return difference_; }

private:
  std::optional<std::string> difference_;
};

void expect_group(audit_row& row, const run_story& story, audit_group group) {
  auto& columns = row.step(group);
  bool open = false;
  bool any = false;
  bool skipped = false;
  bool failed = false;
  std::optional<timestamp> last;
  for (const auto& step : story.steps) {
    if (step.known->audit != group)
      continue;
    if (step.began && (!columns.started_at || *step.began < *columns.started_at))
      columns.started_at = step.began;
    if (!step.has_ended()) {
      open = true;
      if (step.stage == step_at::backing_off && !story.refused_end)
        columns.error = present;
      if (story.stage == run_story::stage_type::ended && !step.began)
        any = skipped = true;
      continue;
    }
    any = true;
    failed = failed || step.stage == step_at::failed;
    skipped = skipped || step.stage == step_at::skipped;
    if (!last || *step.ended > *last)
      last = step.ended;
  }
  const bool settled = !open || story.stage == run_story::stage_type::ended;
  if (settled)
    columns.completed_at = last;
  if (failed) {
    columns.status = "failed";
    columns.error = present;
  } else if (settled && any) {
    columns.status = skipped ? "skipped" : "success";
  }
}

} // namespace

audit_row expected_row(const run_story& story) {
  audit_row row;
  const auto text = [&](const char* name) { return story.accepted.value(name, std::string()); };
  row.id = story.run;
  row.tenant = story.tenant;
  row.run_number = text("run_number");
  row.run_type = text("run_type");
  row.priority = text("priority");
  if (story.accepted.contains("triggered_by"))
    row.triggered_by = text("triggered_by");
  if (story.accepted.contains("metadata"))
    row.run_metadata = present;
  row.workflow = story.workflow->name;
  row.workflow_version = story.workflow->version;
  row.status = run_status::running;
  if (story.stage == run_story::stage_type::pending)
    row.status = run_status::pending;
  if (story.stage == run_story::stage_type::ended)
    row.status = *story.ended_as;
  row.created_at = story.accepted_at;
  row.updated_at = story.updated_at;
  row.started_at = story.accepted_at;
  if (story.ended_at) {
    row.completed_at = story.ended_at;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*story.ended_at - row.started_at).count();
    row.duration_seconds = static_cast<int32_t>(std::max<int64_t>(seconds, 0));
  }
  for (int i = 0; i < audit_group_count; ++i)
    if (std::any_of(story.steps.begin(), story.steps.end(), [&](const step_story& each) {
          return each.known->audit == static_cast<audit_group>(i);
        }))
      expect_group(row, story, static_cast<audit_group>(i));
  if (!story.refused_end)
    for (const auto& step : story.steps)
      if (step.output)
        fill_columns(row, *step.known, *step.output);
  row.retry_count = static_cast<int32_t>(story.retry_count);
  row.max_retries_reached = story.max_retries_reached;
  if (
    story.refused_end || story.cancelling || story.failed_step || story.ended_as == run_status::partial_success ||
    story.ended_as == run_status::failed) {
    row.error_message = present;
    row.error_details = present;
  }
  if (story.needs_attention())
    row.attention = present;
  row.saga_steps_total = static_cast<int32_t>(story.steps.size());
  row.saga_steps_completed = static_cast<int32_t>(std::count_if(
    story.steps.begin(), story.steps.end(), [](const step_story& each) { return each.stage == step_at::succeeded; }));
  return row;
}

std::optional<std::string> first_difference(const audit_row& expected, const audit_row& found) {
  comparison columns;
  columns.same("id", to_string(expected.id), to_string(found.id));
  columns.same("tenant_id", to_string(expected.tenant), to_string(found.tenant));
  columns.same("status", to_string(expected.status), to_string(found.status));
  columns.same("updated_at", expected.updated_at, found.updated_at);
  columns.same("run_number", expected.run_number, found.run_number);
  columns.same("run_type", expected.run_type, found.run_type);
  columns.same("priority", expected.priority, found.priority);
  columns.same("triggered_by", expected.triggered_by, found.triggered_by);
  columns.both_present("run_metadata", expected.run_metadata, found.run_metadata);
  columns.same("workflow", expected.workflow, found.workflow);
  columns.same("workflow_version", expected.workflow_version, found.workflow_version);
  columns.same("created_at", expected.created_at, found.created_at);
  columns.same("started_at", expected.started_at, found.started_at);
  columns.same("completed_at", expected.completed_at, found.completed_at);
  columns.same("duration_seconds", expected.duration_seconds, found.duration_seconds);
  for (int i = 0; i < audit_group_count; ++i) {
    const auto group = static_cast<audit_group>(i);
    const auto& wanted = expected.step(group);
    const auto& there = found.step(group);
    const std::string prefix(to_string(group));
    columns.same((prefix + "_started_at").c_str(), wanted.started_at, there.started_at);
    columns.same((prefix + "_completed_at").c_str(), wanted.completed_at, there.completed_at);
    columns.same((prefix + "_status").c_str(), wanted.status, there.status);
    columns.both_present((prefix + "_error").c_str(), wanted.error, there.error);
  }
  const auto same_json = [](const std::optional<std::string>& a, const std::optional<std::string>& b) {
    return a.has_value() == b.has_value() && (!a || nlohmann::json::parse(*a) == nlohmann::json::parse(*b));
  };
  if (!same_json(expected.forecast_data, found.forecast_data))
    columns.same("forecast_data", expected.forecast_data, found.forecast_data);
  columns.same("ai_insights_generated", expected.ai_insights_generated, found.ai_insights_generated);
  columns.same("ai_insights_posted", expected.ai_insights_posted, found.ai_insights_posted);
  columns.same("forecasts_generated", expected.forecasts_generated, found.forecasts_generated);
  columns.same("production_batches_created", expected.production_batches_created, found.production_batches_created);
  columns.same("procurement_plans_created", expected.procurement_plans_created, found.procurement_plans_created);
  columns.same("purchase_orders_created", expected.purchase_orders_created, found.purchase_orders_created);
  columns.same("notifications_sent", expected.notifications_sent, found.notifications_sent);
  columns.same("forecast_id", expected.forecast_id, found.forecast_id);
  columns.same("production_schedule_id", expected.production_schedule_id, found.production_schedule_id);
  columns.same("procurement_plan_id", expected.procurement_plan_id, found.procurement_plan_id);
  columns.same("fulfillment_rate", expected.fulfillment_rate, found.fulfillment_rate);
  columns.same("on_time_delivery_rate", expected.on_time_delivery_rate, found.on_time_delivery_rate);
  columns.same("cost_accuracy", expected.cost_accuracy, found.cost_accuracy);
  columns.same("quality_score", expected.quality_score, found.quality_score);
  columns.same("retry_count", expected.retry_count, found.retry_count);
  columns.same("max_retries_reached", expected.max_retries_reached, found.max_retries_reached);
  columns.both_present("error_message", expected.error_message, found.error_message);
  columns.both_present("error_details", expected.error_details, found.error_details);
  columns.both_present("attention", expected.attention, found.attention);
  columns.same("saga_steps_total", expected.saga_steps_total, found.saga_steps_total);
  columns.same("saga_steps_completed", expected.saga_steps_completed, found.saga_steps_completed);
  return columns.difference();
}

} // namespace levain::simulation
