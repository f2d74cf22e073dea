#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/run_machine/state.hpp"
#include "persistence/event_record.hpp"

namespace levain {

/// A fact about a run. One flat structure: which members mean something depends on `kind` (see `docs/life-cycle.md`).
///
/// The first attempt of a step has no event of its own: it begins with the event that freed the step (`run_started`,
/// `step_succeeded`, `step_failed`, `step_skipped`, `run_resumed`, `run_retried`). Later attempts begin with
/// `attempt_started`. This keeps a run of n steps at n + 3 events.
struct event {
  int32_t seq = 0;
  timestamp at{};
  event_kind kind = event_kind::run_accepted;
  std::optional<step_index> step;
  uint32_t attempt = 0;

  /// `run_accepted`.
  std::optional<run_plan> plan;
  /// `step_succeeded`: JSON text in canonical form (see output.hpp).
  std::string output;
  /// `step_succeeded`: what the step's `record` takes out of the output; not kept in the journal, since it follows from
  /// it.
  std::vector<recorded_value> recorded;
  /// `attempt_failed`, `step_failed`, `compensation_attempt_failed`, `compensation_failed`; of `run_failed` only when
  /// the journal refused what the run would have written.
  std::optional<call_failure> failure;
  /// `attempt_failed`, `compensation_attempt_failed`, `run_retry_scheduled`: when it goes on.
  std::optional<timestamp> due_at;
  /// `run_paused`, `run_resumed`, `cancel_requested`, `terminate_requested`, `attention_resolved`, `run_retried`: who;
  /// empty when the engine did it by itself.
  std::string by;
  /// `step_skipped`, `cancel_requested`, `terminate_requested`, `attention_resolved` (the note), `run_failed`: one
  /// line.
  std::string reason;
  /// `delivery_lost`: the name of the worker that was lost. Outcomes of attempts: of the one that had it, if one did.
  std::string worker;
  /// Outcomes of attempts: how long it waited for a worker, a thread or its turn, in whole milliseconds.
  duration queued{0};
  /// `run_retried`: steps that are called again after something that they come after is done anew get new keys. False
  /// in journals of older programs, which kept their keys.
  bool renews_keys = false;

  bool operator==(const event&) const = default;
};

/// As the journal keeps it. The event's step, where it has one, is a step of `workflow`.
event_record encode_event(const event& fact, const workflow_definition& workflow);

/// From the journal. Throws `broken_journal` (see machine.hpp) naming the run's event number and what is wrong with it.
event decode_event(const event_record& record, const workflow_definition& workflow);

/// The plan inside a journal's first event, before the workflow is known. Throws `broken_journal`.
run_plan decode_plan(const event_record& first, const run_id& run);

} // namespace levain
