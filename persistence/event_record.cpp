#include "persistence/event_record.hpp"

#include <array>

#include "persistence/named_values.hpp"

namespace levain {

namespace {

// In the order of `event_kind` and of the database type `run_event_kind`.
constexpr std::array<std::string_view, event_kind_count> kind_names = {
  "run_accepted",
  "run_started",
  "step_succeeded",
  "attempt_failed",
  "attempt_started",
  "step_failed",
  "step_skipped",
  "run_paused",
  "run_resumed",
  "cancel_requested",
  "compensation_started",
  "step_compensated",
  "compensation_attempt_failed",
  "compensation_attempt_started",
  "compensation_failed",
  "run_retry_scheduled",
  "run_retried",
  "run_completed",
  "run_partially_succeeded",
  "run_failed",
  "run_cancelled",
  "attempt_withdrawn",
  "delivery_lost",
  "terminate_requested",
  "attention_resolved",
};

} // namespace

std::string_view to_string(event_kind kind) {
  return kind_names.at(static_cast<size_t>(kind));
}

std::optional<event_kind> parse_event_kind(std::string_view text) {
  return parse_named<event_kind>(kind_names, text);
}

bool is_terminal(event_kind kind) {
  switch (kind) {
  case event_kind::run_completed:
  case event_kind::run_partially_succeeded:
  case event_kind::run_failed:
  case event_kind::run_cancelled:
    return true;
  default:
    return false;
  }
}

} // namespace levain
