#include "actors/gateway/run_view.hpp"

#include <nlohmann/json.hpp>

#include "actors/run_machine/machine.hpp"
#include "persistence/exact_json.hpp"

namespace levain {

namespace {

using nlohmann::ordered_json;

ordered_json time_or_null(const std::optional<timestamp>& at) {
  return at ? ordered_json(to_rfc3339(*at)) : ordered_json();
}

template <class Value>
ordered_json value_or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json id_or_null(const std::optional<uuid>& id) {
  return id ? ordered_json(to_string(*id)) : ordered_json();
}

/// JSON text becomes JSON; a text that is none (which only a hand could have put there) is shown as a text.
ordered_json document(const std::string& text) {
  auto parsed = read_exact_json<ordered_json>(text);
  return parsed.is_discarded() ? ordered_json(text) : parsed;
}

ordered_json document_or_null(const std::optional<std::string>& text) {
  return text ? document(*text) : ordered_json();
}

void put_step(ordered_json& json, audit_group group, const audit_step& step) {
  const auto name = std::string(to_string(group));
  json[name + "_started_at"] = time_or_null(step.started_at);
  json[name + "_completed_at"] = time_or_null(step.completed_at);
  json[name + "_status"] = value_or_null(step.status);
  json[name + "_error"] = value_or_null(step.error);
}

void put_results(ordered_json& json, const audit_row& row, row_columns columns) {
  json["ai_insights_generated"] = row.ai_insights_generated;
  json["ai_insights_posted"] = row.ai_insights_posted;
  json["forecasts_generated"] = row.forecasts_generated;
  json["production_batches_created"] = row.production_batches_created;
  json["procurement_plans_created"] = row.procurement_plans_created;
  json["purchase_orders_created"] = row.purchase_orders_created;
  json["notifications_sent"] = row.notifications_sent;
  if (columns == row_columns::all) {
    json["forecast_data"] = document_or_null(row.forecast_data);
    json["run_metadata"] = document_or_null(row.run_metadata);
  }
}

void put_audit(ordered_json& json, const audit_row& row) {
  json["retry_count"] = row.retry_count;
  json["max_retries_reached"] = row.max_retries_reached;
  json["error_message"] = value_or_null(row.error_message);
  json["error_details"] = document_or_null(row.error_details);
  json["forecast_id"] = id_or_null(row.forecast_id);
  json["production_schedule_id"] = id_or_null(row.production_schedule_id);
  json["procurement_plan_id"] = id_or_null(row.procurement_plan_id);
  json["saga_steps_total"] = row.saga_steps_total;
  json["saga_steps_completed"] = row.saga_steps_completed;
  json["created_at"] = to_rfc3339(row.created_at);
  json["updated_at"] = to_rfc3339(row.updated_at);
  json["triggered_by"] = value_or_null(row.triggered_by);
  json["fulfillment_rate"] = value_or_null(row.fulfillment_rate);
  json["on_time_delivery_rate"] = value_or_null(row.on_time_delivery_rate);
  json["cost_accuracy"] = value_or_null(row.cost_accuracy);
  json["quality_score"] = value_or_null(row.quality_score);
}

ordered_json failure_or_null(const std::optional<call_failure>& failure) {
  if (!failure)
    return {};
  ordered_json json{{"kind", to_string(failure->kind)}, {"message", failure->message}};
  if (failure->retry_after)
    json["retry_after_ms"] = failure->retry_after->count() / 1000;
  return json;
}

ordered_json milliseconds_between(const std::optional<timestamp>& from, const std::optional<timestamp>& until) {
  if (!from || !until)
    return {};
  return std::chrono::duration_cast<std::chrono::milliseconds>(*until - *from).count();
}

ordered_json compensation_json(const step_state& step) {
  return {
    {"phase", to_string(step.undo)},
    {"attempt", step.undo_attempt},
    {"started_at", time_or_null(step.undo_started_at)},
    {"ended_at", time_or_null(step.undo_ended_at)},
    {"duration_ms", milliseconds_between(step.undo_started_at, step.undo_ended_at)},
    {"next_attempt_at", time_or_null(step.next_undo_at)},
    {"failure", failure_or_null(step.undo_failure)},
  };
}

ordered_json step_json(const step_definition& definition, const step_state& step) {
  ordered_json json{
    {"name", definition.name},
    {"phase", to_string(step.phase)},
    {"attempt", step.attempt},
    {"started_at", time_or_null(step.started_at)},
    {"ended_at", time_or_null(step.ended_at)},
    {"duration_ms", milliseconds_between(step.started_at, step.ended_at)},
    {"next_attempt_at", time_or_null(step.next_attempt_at)},
    {"failure", failure_or_null(step.failure)},
  };
  if (!step.skip_reason.empty())
    json["skip_reason"] = step.skip_reason;
  if (!step.output.empty())
    json["output"] = document(step.output);
  if (step.undo != undo_phase::none)
    json["compensation"] = compensation_json(step);
  return json;
}

} // namespace

ordered_json audit_row_json(const audit_row& row, row_columns columns) {
  ordered_json json{
    {"id", to_string(row.id)},
    {"run_number", row.run_number},
    {"tenant_id", to_string(row.tenant)},
    {"status", to_string(row.status)},
    {"run_type", row.run_type},
    {"priority", row.priority},
    {"started_at", to_rfc3339(row.started_at)},
    {"completed_at", time_or_null(row.completed_at)},
    {"duration_seconds", value_or_null(row.duration_seconds)},
  };
  for (int i = 0; i < audit_group_count; ++i)
    put_step(json, static_cast<audit_group>(i), row.step(static_cast<audit_group>(i)));
  put_results(json, row, columns);
  put_audit(json, row);
  json["workflow"] = row.workflow.empty() ? ordered_json() : ordered_json(row.workflow);
  json["workflow_version"] = row.workflow.empty() ? ordered_json() : ordered_json(row.workflow_version);
  json["attention"] = value_or_null(row.attention);
  json["stopped"] = value_or_null(row.stopped);
  return json;
}

ordered_json event_json(const event_record& event) {
  ordered_json json{{"seq", event.seq}, {"at", to_rfc3339(event.at)}, {"kind", to_string(event.kind)}};
  if (!event.step.empty())
    json["step"] = event.step;
  if (event.attempt != 0)
    json["attempt"] = event.attempt;
  if (!event.body.empty())
    json["body"] = document(event.body);
  return json;
}

ordered_json steps_json(const run_state& state) {
  auto json = ordered_json::array();
  for (size_t i = 0; i < state.steps.size(); ++i)
    json.push_back(step_json(state.workflow->steps[i], state.steps[i]));
  return json;
}

ordered_json progress_json(const run_state& state) {
  ordered_json json{{"phase", to_string(state.phase)}, {"events", state.seq}, {"paused", state.paused}};
  if (state.paused) {
    json["paused_by"] = state.paused_by;
    json["paused_at"] = time_or_null(state.paused_at);
  }
  if (state.cancelled_by) {
    json["cancelled_by"] = *state.cancelled_by;
    json["cancel_reason"] = state.cancel_reason;
  }
  json["retry_at"] = time_or_null(state.retry_at);
  return json;
}

ordered_json explanation_json(const explanation& why) {
  auto waits = ordered_json::array();
  for (const auto& each : why.waits)
    waits.push_back({
      {"kind", each.kind},
      {"step", each.step.empty() ? ordered_json() : ordered_json(each.step)},
      {"place", each.place.empty() ? ordered_json() : ordered_json(each.place)},
      {"text", each.text},
      {"progress", each.progress.empty() ? ordered_json() : ordered_json(each.progress)},
      {"since", time_or_null(each.since)},
      {"until", time_or_null(each.until)},
    });
  return {{"summary", why.summary}, {"waits", std::move(waits)}};
}

run_state fold_events(const workflow_ptr& workflow, const std::vector<event_record>& events) {
  auto state = initial_state(workflow);
  for (const auto& each : events)
    evolve(state, decode_event(each, *workflow));
  return state;
}

} // namespace levain
