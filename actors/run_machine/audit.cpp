#include "actors/run_machine/machine.hpp"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "actors/run_machine/plain_line.hpp"
#include "actors/run_machine/progress.hpp"
#include "actors/run_machine/unknown_outcome.hpp"

namespace levain {

namespace {

using nlohmann::json;

/// Where a recorded value goes: one entry for each column that `record` may fill.
struct recorded_column {
  std::string_view name;
  std::variant<
    int32_t audit_row::*, std::optional<int32_t> audit_row::*, std::optional<uuid> audit_row::*,
    std::optional<std::string> audit_row::*>
    member;
};

const recorded_column recorded_columns[] = {
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

void fill_column(audit_row& row, std::string_view name, const recorded_value& value) {
  for (const auto& column : recorded_columns) {
    if (column.name != name)
      continue;
    std::visit(
      [&](auto member) {
        using column_type = std::remove_reference_t<decltype(row.*member)>;
        if constexpr (std::is_same_v<column_type, int32_t>)
          row.*member = std::get<int32_t>(value);
        else
          row.*member = std::get<typename column_type::value_type>(value);
      },
      column.member);
  }
}

void fill_records(audit_row& row, const run_state& state) {
  for (step_index i = 0; i < state.steps.size(); ++i) {
    const auto& entries = state.workflow->steps[i].record;
    const auto& recorded = state.steps[i].recorded;
    for (size_t k = 0; k < recorded.size() && k < entries.size(); ++k)
      fill_column(row, entries[k].column, recorded[k]);
  }
}

std::string failure_text(const step_state& step) {
  return step.failure ? step.failure->message : std::string("no reason was given");
}

/// The later the worse.
int severity(step_phase phase) {
  return phase == step_phase::failed ? 2 : phase == step_phase::skipped ? 1 : 0;
}

constexpr const char* step_statuses[] = {"success", "skipped", "failed"};

/// One group of step columns; several steps may share it.
void fill_group(audit_row& row, const run_state& state, audit_group group) {
  auto& columns = row.step(group);
  bool all_ended = true;
  int worst = -1;
  std::optional<timestamp> last_end;
  for (step_index i = 0; i < state.steps.size(); ++i) {
    if (state.workflow->steps[i].audit != group)
      continue;
    const auto& step = state.steps[i];
    if (step.started_at && (!columns.started_at || *step.started_at < *columns.started_at))
      columns.started_at = step.started_at;
    if (!is_ended(step.phase)) {
      all_ended = false;
      // What went wrong is seen while the step waits for its next attempt, too.
      if (step.phase == step_phase::backing_off && step.failure && !columns.error && !state.rejected)
        columns.error = failure_text(step);
      // The run is over and this step never began.
      if (state.phase == run_phase::ended && !step.started_at)
        worst = std::max(worst, severity(step_phase::skipped));
      continue;
    }
    worst = std::max(worst, severity(step.phase));
    if (step.ended_at && (!last_end || *step.ended_at > *last_end))
      last_end = step.ended_at;
    if (step.phase == step_phase::failed && !columns.error)
      columns.error = state.rejected ? "the database refused the run's events" : failure_text(step);
  }
  bool settled = all_ended || state.phase == run_phase::ended;
  if (settled)
    columns.completed_at = last_end;
  if (worst == 2 || (settled && worst >= 0))
    columns.status = step_statuses[worst];
}

std::string undo_status(undo_phase phase) {
  return std::string(to_string(phase));
}

json compensations_of(const run_state& state) {
  std::vector<step_index> order;
  for (step_index i = 0; i < state.steps.size(); ++i)
    if (state.steps[i].undo != undo_phase::none)
      order.push_back(i);
  std::sort(order.begin(), order.end(), [&](step_index a, step_index b) {
    return state.steps[a].success_order > state.steps[b].success_order;
  });
  auto list = json::array();
  for (auto i : order) {
    const auto& step = state.steps[i];
    json entry = {
      {"step", state.workflow->steps[i].name},
      {"status", undo_status(step.undo)},
      {"attempts", step.undo_attempts_in_round}};
    if (step.undo_failure)
      entry["message"] = step.undo_failure->message;
    list.push_back(std::move(entry));
  }
  return list;
}

json failure_details(const run_state& state, step_index i) {
  const auto& step = state.steps[i];
  json details = {{"step", state.workflow->steps[i].name}, {"attempt", step.attempt}, {"message", failure_text(step)}};
  if (step.failure)
    details["kind"] = to_string(step.failure->kind);
  if (step.ended_at)
    details["at"] = to_rfc3339(*step.ended_at);
  if (is_left_unknown(state, i)) {
    details["outcome"] = "unknown";
    details["key"] = idempotency_key(state, i, false);
  }
  return details;
}

/// Every step that failed, the one that made the run fail first.
json failures_of(const run_state& state) {
  auto list = json::array();
  if (state.rejected)
    return list; // Their texts may be what the database refused.
  if (state.failed_step)
    list.push_back(failure_details(state, *state.failed_step));
  for (step_index i = 0; i < state.steps.size(); ++i)
    if (state.steps[i].phase == step_phase::failed && state.failed_step != i)
      list.push_back(failure_details(state, i));
  return list;
}

json skipped_steps_of(const run_state& state) {
  auto list = json::array();
  for (step_index i = 0; i < state.steps.size(); ++i)
    if (state.steps[i].phase == step_phase::skipped)
      list.push_back({{"step", state.workflow->steps[i].name}, {"reason", state.steps[i].skip_reason}});
  return list;
}

std::string cancel_sentence(const run_state& state) {
  auto by = state.cancelled_by.value_or("");
  const std::string verb = state.terminated ? "terminated" : "cancelled";
  auto text = by.empty() ? verb : verb + " by " + by;
  return plain_line(state.cancel_reason.empty() ? text : text + ": " + state.cancel_reason);
}

std::string partial_sentence(const run_state& state) {
  std::string text;
  size_t more = 0;
  for (step_index i = 0; i < state.steps.size(); ++i) {
    if (state.steps[i].phase != step_phase::failed)
      continue;
    if (text.empty())
      text = "step " + state.workflow->steps[i].name + " failed: " + failure_text(state.steps[i]);
    else
      ++more;
  }
  return plain_line(more == 0 ? text : std::to_string(more + 1) + " steps failed; first " + text);
}

void fill_errors(audit_row& row, const run_state& state) {
  json details;
  if (state.rejected) {
    row.error_message = state.end_reason;
    details = {{"kind", "rejected"}, {"message", state.end_reason}, {"at", to_rfc3339(*state.ended_at)}};
  } else if (state.cancelling) {
    row.error_message = cancel_sentence(state);
    details = {
      {"kind", state.terminated ? "terminated" : "cancelled"},
      {"by", state.cancelled_by.value_or("")},
      {"message", state.cancel_reason}};
    if (state.ended_at)
      details["at"] = to_rfc3339(*state.ended_at);
  } else if (state.failed_step) {
    const auto& step = state.steps[*state.failed_step];
    row.error_message =
      plain_line("step " + state.workflow->steps[*state.failed_step].name + " failed: " + failure_text(step));
    details = failure_details(state, *state.failed_step);
  } else if (state.ended_as == run_status::partial_success) {
    row.error_message = partial_sentence(state);
    // The first one, as a failed run shows the one that made it fail.
    if (const auto failures = failures_of(state); !failures.empty())
      details = failures.front();
  } else {
    return;
  }
  details["failures"] = failures_of(state);
  details["skipped_steps"] = state.rejected ? json::array() : skipped_steps_of(state);
  details["compensations"] = state.rejected ? json::array() : compensations_of(state);
  if (auto unknown = unknown_outcomes_of(state); !unknown.empty())
    details["unknown_outcomes"] = std::move(unknown);
  if (state.attention_resolved)
    details["attention_resolved"] = {
      {"by", state.resolved_by}, {"note", state.resolve_note}, {"at", to_rfc3339(*state.resolved_at)}};
  row.error_details = details.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string undo_complaint(const std::string& step, uint32_t attempts, const std::optional<call_failure>& failure) {
  auto text = "the compensation of step " + step + " failed after " + std::to_string(attempts) +
              (attempts == 1 ? " attempt" : " attempts");
  return failure ? text + ": " + failure->message : text;
}

void fill_attention(audit_row& row, const run_state& state) {
  if (state.attention_resolved)
    return;
  // What a step did is to stand where all have succeeded.
  const bool completed = state.ended_as == run_status::completed;
  std::string text;
  for (const auto& complaint : unknown_outcome_complaints(state))
    text += (text.empty() ? "" : "; ") + complaint;
  for (step_index i = 0; i < state.steps.size(); ++i) {
    const auto& step = state.steps[i];
    const auto& name = state.workflow->steps[i].name;
    std::string complaint;
    if (step.undo == undo_phase::failed)
      complaint = undo_complaint(name, step.undo_attempts_in_round, state.rejected ? std::nullopt : step.undo_failure);
    else if (step.left_behind && !completed)
      complaint =
        undo_complaint(name, step.left_behind->attempts, step.left_behind->failure) + " (before the run was retried)";
    else
      continue;
    text += (text.empty() ? "" : "; ") + complaint;
  }
  if (!text.empty())
    row.attention = plain_line(text);
}

int32_t whole_seconds(duration span) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(span).count();
  return static_cast<int32_t>(std::clamp<int64_t>(seconds, 0, std::numeric_limits<int32_t>::max()));
}

run_status status_of(const run_state& state) {
  if (state.phase == run_phase::pending)
    return run_status::pending;
  return state.phase == run_phase::ended && state.ended_as ? *state.ended_as : run_status::running;
}

void fill_plan(audit_row& row, const run_plan& plan) {
  row.id = plan.run;
  row.run_number = plan.run_number;
  row.tenant = plan.tenant;
  row.run_type = plan.run_type;
  row.priority = plan.priority;
  row.triggered_by = plan.triggered_by;
  row.run_metadata = plan.metadata;
  row.workflow = plan.workflow;
  row.workflow_version = plan.workflow_version;
}

} // namespace

audit_row audit_of(const run_state& state) {
  audit_row row;
  fill_plan(row, state.plan);
  row.status = status_of(state);
  // Never anything else: whoever waits for a slot has started all the same, and lists stay in their order.
  row.started_at = state.accepted_at;
  if (state.phase == run_phase::ended) {
    row.completed_at = state.ended_at;
    row.duration_seconds = whole_seconds(*state.ended_at - row.started_at);
  }
  bool has_group[audit_group_count] = {};
  for (const auto& step : state.workflow->steps)
    if (step.audit)
      has_group[static_cast<size_t>(*step.audit)] = true;
  for (int i = 0; i < audit_group_count; ++i)
    if (has_group[i])
      fill_group(row, state, static_cast<audit_group>(i));
  if (!state.rejected)
    fill_records(row, state);
  row.retry_count = static_cast<int32_t>(state.retry_count);
  row.max_retries_reached = state.max_retries_reached;
  fill_errors(row, state);
  fill_attention(row, state);
  row.saga_steps_total = static_cast<int32_t>(state.steps.size());
  row.saga_steps_completed =
    static_cast<int32_t>(std::count_if(state.steps.begin(), state.steps.end(), [](const step_state& step) {
      return step.phase == step_phase::succeeded;
    }));
  row.created_at = state.accepted_at;
  row.updated_at = state.updated_at;
  return row;
}

} // namespace levain
