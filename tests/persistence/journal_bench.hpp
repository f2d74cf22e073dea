#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "persistence/journal.hpp"

namespace levain::test {

/// What an implementation of the journal brings to be tested: a database of its own and ways to do it harm.
class journal_bench {
public:
  virtual ~journal_bench() = default;

  virtual journal& subject() = 0;
  /// Another object on the same database, as another writer has it.
  virtual std::unique_ptr<journal> another() = 0;
  virtual void set_epoch(shard_number shard, epoch_number epoch) = 0;
  virtual std::optional<audit_row> row(const run_id& run) = 0;
  /// The next commit of `subject` gets no answer, and does not happen.
  virtual void lose_next_commit() = 0;
  /// The next commit of `subject` happens, but its answer is lost.
  virtual void lose_next_answer() = 0;
  /// From now on `subject` cannot reach the database, until it `comes_back`.
  virtual void goes_away() = 0;
  virtual void comes_back() = 0;
  /// Another transaction has locked the run's row, until `unlock_rows`.
  virtual void lock_row(const run_id& run) = 0;
  virtual void unlock_rows() = 0;
};

// -- material
// ------------------------------------------------------------------------------------------------------------

inline constexpr epoch_number bench_epoch = 7;
inline const timestamp bench_time = timestamp(std::chrono::microseconds(1'795'413'600'123'456));
inline const tenant_id bench_tenant{*uuid::parse("11111111-2222-4333-8444-555555555555")};

/// The n-th run of shard 3 (or another), in the order of ids.
inline run_id bench_run(int n, shard_number shard = 3) {
  return make_run_id(bench_time + std::chrono::milliseconds(n), {0, static_cast<uint64_t>(n) << 8}, shard);
}

inline event_record bench_event(int32_t seq, event_kind kind = event_kind::run_accepted) {
  event_record event;
  event.seq = seq;
  event.at = bench_time + std::chrono::microseconds(seq);
  event.kind = kind;
  return event;
}

inline audit_row bench_row(const run_id& run) {
  audit_row row;
  row.id = run;
  row.run_number = "ORCH-" + to_string(run);
  row.tenant = bench_tenant;
  row.started_at = row.created_at = row.updated_at = bench_time;
  row.workflow = "daily_bakery";
  row.workflow_version = 1;
  return row;
}

/// A start: one event and the row.
inline run_append bench_start(const run_id& run) {
  run_append append;
  append.run = run;
  append.epoch = bench_epoch;
  append.events = {bench_event(1)};
  append.insert = bench_row(run);
  return append;
}

inline run_append bench_events(const run_id& run, std::vector<event_record> events) {
  run_append append;
  append.run = run;
  append.epoch = bench_epoch;
  append.events = std::move(events);
  return append;
}

inline bool is_committed(const append_outcome& outcome) {
  return std::holds_alternative<append_committed>(outcome);
}

inline std::string reason_of(const append_outcome& outcome) {
  const auto* rejected = std::get_if<append_rejected>(&outcome);
  return rejected ? rejected->reason : "(not rejected)";
}

inline bool is_held_up(const append_outcome& outcome) {
  return std::holds_alternative<append_held_up>(outcome);
}

inline bool is_done(const append_answer& answer, size_t runs) {
  return answer.status == append_answer::status_type::done && answer.outcomes.size() == runs;
}

/// Appends one run and expects that it is committed.
inline void must_commit(journal& journal, const run_append& append) {
  const auto answer = journal.append({append});
  BOOST_REQUIRE_MESSAGE(is_done(answer, 1), answer.reason);
  BOOST_REQUIRE_MESSAGE(is_committed(answer.outcomes[0]), reason_of(answer.outcomes[0]));
}

/// All unfinished runs of these shards with their events.
inline std::vector<unfinished_run> read_all_unfinished(journal& journal, const std::vector<shard_number>& shards) {
  return journal.read_unfinished(journal.list_unfinished(shards));
}

/// JSON may come back in another form of the same value.
inline bool same_json(const std::optional<std::string>& a, const std::optional<std::string>& b) {
  if (!a || !b)
    return a == b;
  return nlohmann::json::parse(*a) == nlohmann::json::parse(*b);
}

inline bool same_row(audit_row a, audit_row b) {
  for (const auto member : {&audit_row::forecast_data, &audit_row::run_metadata, &audit_row::error_details}) {
    if (!same_json(a.*member, b.*member))
      return false;
    b.*member = a.*member;
  }
  return a == b;
}

/// A row with another value in every column.
inline audit_row full_row(const run_id& run, int salt) {
  auto at = [n = salt]() mutable { return bench_time + std::chrono::microseconds(1'000'001) * ++n; };
  audit_row row = bench_row(run);
  row.status = run_status::partial_success;
  row.run_type = "manual";
  row.priority = "critical";
  row.started_at = at();
  row.completed_at = at();
  row.duration_seconds = salt + 1;
  for (int i = 0; i < audit_group_count; ++i)
    row.steps[static_cast<size_t>(i)] = {
      at(), at(), "s" + std::to_string(i), "error \"" + std::to_string(i) + "\\\", {x}, NULL"};
  int32_t number = salt + 100;
  for (const auto member :
       {&audit_row::ai_insights_generated, &audit_row::ai_insights_posted, &audit_row::forecasts_generated,
        &audit_row::production_batches_created, &audit_row::procurement_plans_created,
        &audit_row::purchase_orders_created, &audit_row::notifications_sent, &audit_row::retry_count,
        &audit_row::saga_steps_total, &audit_row::saga_steps_completed})
    row.*member = ++number;
  row.forecast_data = R"({"bread": [1, 2.5, "kr\u00e4ftig \"quoted\""]})";
  row.run_metadata = R"({"a": {"b": null}})";
  row.max_retries_reached = true;
  row.error_message = "NULL";
  row.error_details = R"({"step": "production", "message": "back\\slash"})";
  row.forecast_id = uuid::parse("aaaaaaaa-0000-4000-8000-000000000001");
  row.production_schedule_id = uuid::parse("aaaaaaaa-0000-4000-8000-000000000002");
  row.procurement_plan_id = uuid::parse("aaaaaaaa-0000-4000-8000-000000000003");
  row.created_at = at();
  row.updated_at = at();
  row.triggered_by = "b\xc3\xa4"
                     "cker";
  row.fulfillment_rate = 91;
  row.on_time_delivery_rate = 92;
  row.cost_accuracy = 93;
  row.quality_score = 94;
  row.workflow = "other_workflow";
  row.workflow_version = 12;
  row.attention = "a compensation failed";
  return row;
}

} // namespace levain::test
