#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/workflow/definition.hpp"

namespace levain {

/// One thing that is wrong with an input: where, and what would have been right.
struct field_error {
  /// `steps[2].retry.max_attempts`; empty for the input as a whole.
  std::string field;
  /// `must be at least 1, not 0`.
  std::string message;
  bool operator==(const field_error&) const = default;
};

/// `field: message`.
std::string to_string(const field_error& error);

// Limits of a definition; the reference page lists them.
inline constexpr size_t definition_bytes_max = 1024 * 1024;
inline constexpr size_t definition_steps_max = 200;
inline constexpr size_t definition_depth_max = 32;
inline constexpr size_t definition_name_bytes_max = 100;
inline constexpr duration step_timeout_min = std::chrono::milliseconds(1);
inline constexpr duration step_timeout_max = std::chrono::hours(24 * 7);
/// A worker cannot be asked for heartbeats more often.
inline constexpr duration worker_heartbeat_min = std::chrono::milliseconds(100);
/// No wait between two tries, of a step or of a run, can be longer.
inline constexpr duration retry_interval_max = std::chrono::hours(24 * 7);
/// The shortest first wait between two tries.
inline constexpr duration retry_interval_min = std::chrono::milliseconds(1);
inline constexpr uint32_t retry_attempts_max = 1000;
inline constexpr uint32_t run_retries_max = 100;
inline constexpr double retry_backoff_max = 100;
inline constexpr double simulate_sigma_max = 5;
/// Errors reported for one definition; what is beyond is counted in one more.
inline constexpr size_t definition_errors_max = 100;

/// What `parse_definition` found.
struct parsed_definition {
  /// Null when there are errors.
  workflow_ptr workflow;
  std::vector<field_error> errors;
};

/// Reads and checks a workflow definition (design section 6). Reports every error it can find, not just the first.
/// Unknown members are errors that name the nearest known one. Never throws for bad input.
parsed_definition parse_definition(std::string_view json_text);

/// The JSON Schema (draft 2020-12) of a definition, as published in `docs/` and served by the daemon.
std::string_view definition_schema();

/// Reads `500ms`, `30s`, `5m`, `2h`, `1d`; a whole number and a unit.
std::optional<duration> parse_duration(std::string_view text);
/// The shortest such text that is exact.
std::string format_duration(duration span);

} // namespace levain
