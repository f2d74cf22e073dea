#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/workflow/definition.hpp"
#include "persistence/audit_row.hpp"
#include "persistence/ids.hpp"
#include "persistence/timestamp.hpp"

namespace levain {

/// Who asked for a run and with what: everything about a run that never changes.
struct run_plan {
  run_id run;
  std::string run_number;
  tenant_id tenant;
  /// Name and version the run is pinned to; `workflow` in the state is what they resolve to.
  std::string workflow;
  int32_t workflow_version = 0;
  /// `scheduled`, `manual` or `test`.
  std::string run_type = "manual";
  /// `normal`, `high` or `critical`.
  std::string priority = "normal";
  std::optional<std::string> triggered_by;
  /// JSON text of any type; what the calls get as `input`.
  std::string input = "{}";
  /// A JSON object or nothing; the column `run_metadata`.
  std::optional<std::string> metadata;

  bool operator==(const run_plan&) const = default;
};

/// Of its input and its metadata.
inline uint64_t bytes_of(const run_plan& plan) {
  return plan.input.size() + (plan.metadata ? plan.metadata->size() : 0);
}

/// Why an attempt did not succeed.
struct call_failure {
  enum class kind_type : uint8_t {
    /// The service said no, or could not be reached, in a way that a later try may mend.
    retryable,
    /// The service said no for good.
    final,
    /// No answer before the deadline; a later try may succeed.
    timeout,
    /// The answer cannot be used: not JSON, too large, a recorded value that does not fit. Final.
    invalid_output,
    /// The database refused what this outcome would have written. Final.
    rejected,
    /// The call was given up because its run stopped: one with `effect: none` at once, another when the grace of a
    /// cancellation was over.
    abandoned,
    /// The call was taken back before anybody was given it: nothing of it has begun. The result of an attempt only,
    /// never
    /// a failure in the journal.
    withdrawn,
  };
  kind_type kind = kind_type::retryable;
  /// One line for people, at most `message_bytes_max`.
  std::string message;
  /// What the service asked us to wait (`Retry-After`).
  std::optional<duration> retry_after;
  /// The call had left the node and no answer says what became of it: its work may have been done all the same.
  bool unknown = false;

  bool operator==(const call_failure&) const = default;
};

std::string_view to_string(call_failure::kind_type kind);

inline constexpr size_t message_bytes_max = 2000;
/// A service cannot make a run wait longer than this by `Retry-After`.
inline constexpr duration retry_after_max = std::chrono::hours(1);

/// Where a step is.
enum class step_phase : uint8_t {
  /// Something it needs or comes after has not ended.
  waiting,
  /// Nothing keeps it but a pause (or the run has not begun).
  ready,
  /// An attempt is out.
  calling,
  /// The next attempt has a time.
  backing_off,
  succeeded,
  failed,
  skipped,
};

/// Where the undoing of a succeeded step is.
enum class undo_phase : uint8_t { none, due, calling, backing_off, compensated, failed };

std::string_view to_string(step_phase phase);
std::string_view to_string(undo_phase phase);

/// A value that a step's `record` took out of its output: a counter or metric, an id, or JSON text.
using recorded_value = std::variant<int32_t, uuid, std::string>;

/// How far a step is: the part of its state that the rules of a run look at.
struct step_progress {
  step_phase phase = step_phase::waiting;
  /// The newest attempt, from 1 over the whole life of the run; 0 before the first.
  uint32_t attempt = 0;
  /// Attempts since the run (last) began: what `max_attempts` limits.
  uint32_t attempts_in_round = 0;
  /// How often the step was undone and is to be done anew: part of its idempotency key.
  uint32_t redo = 0;
  std::optional<timestamp> started_at;
  std::optional<timestamp> attempt_started_at;
  std::optional<timestamp> ended_at;
  /// The numbers of the events that let the step begin, and with which it ended; 0 before. A call sees the results of
  /// what had ended when its step began, and times can be equal.
  int32_t started_seq = 0;
  int32_t ended_seq = 0;
  /// When the next attempt is due; only while `backing_off`.
  std::optional<timestamp> next_attempt_at;

  undo_phase undo = undo_phase::none;
  /// The newest attempt to undo the step, from 1 over the whole life of the run; 0 before the first.
  uint32_t undo_attempt = 0;
  /// Attempts since this compensation began: what the compensation's `max_attempts` limits.
  uint32_t undo_attempts_in_round = 0;
  std::optional<timestamp> undo_started_at;
  std::optional<timestamp> undo_attempt_started_at;
  std::optional<timestamp> undo_ended_at;
  /// When the next attempt to undo it is due; only while `undo` is `backing_off`.
  std::optional<timestamp> next_undo_at;
  /// Counts the steps that came to have something to undo, so that compensation can go in reverse; 0 before.
  uint32_t success_order = 0;
  /// The outcome of an attempt with an external effect is unknown, and no later one under the same key succeeded.
  bool unknown = false;
  /// Workers that were lost with the newest attempt in hand.
  uint32_t deliveries_lost = 0;

  bool operator==(const step_progress&) const = default;
};

/// A compensation that had failed when its run was retried: what it was to undo still stands.
struct undo_left_behind {
  uint32_t attempts = 0;
  /// Absent where the database refused to hold it.
  std::optional<call_failure> failure;

  bool operator==(const undo_left_behind&) const = default;
};

/// Everything known about a step.
struct step_state : step_progress {
  /// JSON text; only when `succeeded`.
  std::string output;
  /// The values that the step's `record` took out of the output, in the order of its entries; only when `succeeded`.
  std::vector<recorded_value> recorded;
  /// Of the newest failed attempt.
  std::optional<call_failure> failure;
  /// Why it was skipped; one line.
  std::string skip_reason;
  /// Of the newest failed attempt to undo it.
  std::optional<call_failure> undo_failure;
  /// Until the step is undone after all.
  std::optional<undo_left_behind> left_behind;
  /// The names of the workers that were lost with the newest attempt in hand, the first one first.
  std::vector<std::string> lost_workers;
  /// Earlier keys of the step whose outcome is unknown: it is done anew under another key.
  std::vector<std::string> unknown_keys;

  bool operator==(const step_state&) const = default;
};

/// Where a run is.
enum class run_phase : uint8_t {
  /// Accepted; no slot yet.
  pending,
  running,
  /// A step failed for good; the run as a whole is tried again at `retry_at`.
  waiting_for_retry,
  /// Failing or cancelling: attempts that are out are awaited, nothing new begins.
  stopping,
  compensating,
  ended,
};

std::string_view to_string(run_phase phase);

/// How far a run is: the part of its state that its rules look at, beside its steps.
struct run_progress {
  run_phase phase = run_phase::pending;
  /// The number of the newest event; 0 before the first.
  int32_t seq = 0;
  timestamp accepted_at{};
  std::optional<timestamp> started_at;
  std::optional<timestamp> ended_at;
  /// The time of the newest event.
  timestamp updated_at{};
  /// How it ended; only when `ended`.
  std::optional<run_status> ended_as;

  bool paused = false;
  std::optional<timestamp> paused_at;
  /// True from the request to cancel (or to terminate) on.
  bool cancelling = false;
  /// True from the request to terminate on: nothing is awaited and nothing more is undone.
  bool terminated = false;
  /// A person has dealt with what needed attention; until the run is retried.
  bool attention_resolved = false;

  uint32_t retry_count = 0;
  bool max_retries_reached = false;
  std::optional<timestamp> retry_at;
  /// The step whose failure stops (or stopped) the run.
  std::optional<step_index> failed_step;
  /// Counts the steps that came to have something to undo, over the whole life of the run.
  uint32_t successes = 0;

  bool operator==(const run_progress&) const = default;
};

/// What a step that stands was told by one that was undone after it and is done anew: whoever undoes it is told the
/// same.
struct seen_output {
  /// Who was told.
  step_index by = 0;
  step_index of = 0;
  /// JSON text.
  std::string output;

  bool operator==(const seen_output&) const = default;
};

/// Everything known about a run. Made and changed by `evolve` alone.
struct run_state : run_progress {
  workflow_ptr workflow;
  run_plan plan;
  /// Who paused it; only while `paused`.
  std::string paused_by;
  /// Who asked to cancel it; present exactly while `cancelling`.
  std::optional<std::string> cancelled_by;
  std::string cancel_reason;
  /// Who resolved the attention, how, and when; only while `attention_resolved`.
  std::string resolved_by;
  std::string resolve_note;
  std::optional<timestamp> resolved_at;
  /// Why the run failed, one line; only when it ended as `failed`.
  std::string end_reason;
  /// True when the run ended because the journal refused its events for other reasons than a step's answer: its row
  /// then holds nothing that came from outside.
  bool rejected = false;

  std::vector<step_state> steps;
  /// At most one for each pair; mostly none.
  std::vector<seen_output> seen_before;

  bool operator==(const run_state&) const = default;
};

} // namespace levain
