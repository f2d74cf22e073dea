#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/ids.hpp"
#include "persistence/timestamp.hpp"

namespace levain::simulation {

/// What the auditor holds the engine to. `sentence_of` says each in words.
enum class rule : uint8_t {
  // Starts.
  start_durable,
  start_repeated,
  key_starts_once,
  start_once,
  start_refused_clean,
  // Calls.
  call_after_commit,
  call_after_outcome,
  call_key,
  call_once_per_ownership,
  call_by_owner,
  call_body,
  version_pinned,
  variables_are_filled,
  tenants_apart,
  // The journal.
  journal_sequence,
  journal_order,
  one_end,
  attempts_bounded,
  backoff_kept,
  pause_holds,
  compensation_order,
  compensation_complete,
  // Outcomes.
  outcome_is_answer,
  answer_kept,
  refused_alone,
  unknown_is_said,
  waits_are_true,
  // The row.
  row_is_fold,
  // Ownership.
  owner_writes,
  epoch_rises,
  lease_kept,
  shards_are_owned,
  shares_are_even,
  drained_is_empty,
  // Workers: what nodes give them.
  call_given_once,
  holder_is_asked,
  room_is_used,
  silence_ends,
  answer_of_holder,
  // Workers: what they do.
  work_is_given,
  work_apart,
  slots_kept,
  result_is_kept,
  answer_is_worked,
  youngest_is_answered,
  dropped_is_told,
  begun_is_ended,
  // Stops.
  stop_begins_nothing,
  cancel_reaches_work,
  deliveries_bounded,
  terminate_is_final,
  resolved_is_settled,
  // Memory.
  calls_in_memory,
  runs_in_memory,
  // People.
  wish_durable,
  rejection_durable,
  wish_refused_clean,
  told_once,
  dead_are_silent,
  // Changes by hand.
  damaged_is_stopped,
  damaged_is_left_alone,
  mended_goes_on,
  // The end.
  run_ends,
  wait_is_true,
  no_complaint,
};

inline constexpr int rule_count = static_cast<int>(rule::no_complaint) + 1;

/// The rule's name, as tables and command lines write it.
std::string_view to_string(rule broken);
std::optional<rule> parse_rule(std::string_view text);

/// What the rule demands, in one sentence.
std::string_view sentence_of(rule broken);

/// A rule that was seen to be broken.
struct violation {
  rule broken = rule::start_durable;
  timestamp at{};
  std::optional<run_id> run;
  /// What was seen, in one line.
  std::string text;
};

} // namespace levain::simulation
