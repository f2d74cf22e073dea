#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace levain::simulation {

/// What is counted over all seeds, so that nobody believes in a simulation that saw nothing.
enum class sight : uint8_t {
  runs_started,
  starts_repeated,
  key_conflicts,
  starts_refused,
  calls_made,
  calls_made_again,
  calls_failed,
  calls_timed_out,
  late_answers,
  second_answers,
  unusable_answers,
  executor_throws,
  undone_steps,
  cancels_granted,
  pauses_granted,
  resumes_granted,
  retries_granted,
  wishes_refused,
  wishes_of_strangers,
  versions_in_flight,
  commits,
  commits_transient,
  commits_serialized,
  commits_lost_before,
  commits_lost_after,
  rows_refused,
  fences,
  outages,
  slow_answers,
  held_actors,
  kills_at_message,
  kills_before_commit,
  kills_after_commit,
  kills_at_lease,
  restarts,
  takeovers,
  pauses,
  pauses_beyond_lease,
  lease_losses,
  stops,
  clock_jumps,
  run_retries,
  requests_sent,
  requests_unsent,
  requests_lost,
  answers_lost,
  starts_in_doubt,
  wishes_elsewhere,
  questions_explained,
  questions_refused,
  cuts,
  drains,
  drains_ended,
  shards_handed_over,
  worker_kills,
  worker_pauses,
  worker_stops,
  worker_links_lost,
  gates_missed,
  words_lost,
  calls_given,
  calls_given_again,
  calls_declined,
  calls_dropped,
  calls_silent,
  calls_joined,
  beats_heard,
  held_calls_told,
  kept_results_taken,
  works_begun,
  works_cancelled,
  steps_withdrawn,
  deliveries_lost,
  cancels_told,
  terminates_granted,
  resolves_granted,
  nodes_lacking,
  calls_wanting,
  answers_cut,
  deaths_of_work,
  commits_taken_for_lost,
  journals_damaged,
  journals_mended,
  damaged_runs_stopped,
  stopped_runs_taken_up,
  rows_changed,
  rows_deleted,
};

inline constexpr size_t sight_count = static_cast<size_t>(sight::rows_deleted) + 1;

std::string_view to_string(sight x);

/// How often each was seen.
struct coverage {
  std::array<uint64_t, sight_count> counts{};

  void saw(sight x, uint64_t times = 1) { counts[static_cast<size_t>(x)] += times; }
  uint64_t count(sight x) const { return counts[static_cast<size_t>(x)]; }
  coverage& operator+=(const coverage& other) {
    for (size_t i = 0; i < sight_count; ++i)
      counts[i] += other.counts[i];
    return *this;
  }
};

} // namespace levain::simulation
