#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/ids.hpp"

namespace levain {

/// What happened. The names are those of the database type `run_event_kind`; new ones go at the end.
enum class event_kind : uint8_t {
  run_accepted,
  run_started,
  step_succeeded,
  attempt_failed,
  attempt_started,
  step_failed,
  step_skipped,
  run_paused,
  run_resumed,
  cancel_requested,
  compensation_started,
  step_compensated,
  compensation_attempt_failed,
  compensation_attempt_started,
  compensation_failed,
  run_retry_scheduled,
  run_retried,
  run_completed,
  run_partially_succeeded,
  run_failed,
  run_cancelled,
  attempt_withdrawn,
  delivery_lost,
  terminate_requested,
  attention_resolved,
};

inline constexpr int event_kind_count = 25;

std::string_view to_string(event_kind kind);
std::optional<event_kind> parse_event_kind(std::string_view text);

/// True for the four kinds that end a run.
bool is_terminal(event_kind kind);

/// One row of `run_events`: a fact about a run as it is remembered.
struct event_record {
  /// 1 for the first event of a run, without holes.
  int32_t seq = 0;
  timestamp at{};
  event_kind kind = event_kind::run_accepted;
  /// The step's name; empty for facts about the run as a whole.
  std::string step;
  /// Which try of the step, from 1; 0 where there is none.
  int32_t attempt = 0;
  /// A JSON object with what else the kind tells; empty where there is nothing to tell.
  std::string body;

  bool operator==(const event_record&) const = default;
};

} // namespace levain
