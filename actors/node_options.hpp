#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "persistence/timestamp.hpp"

namespace levain {

/// Of the name that people know a node by.
inline constexpr size_t node_name_bytes_max = 100;
/// Longest key a caller may give to a start, in bytes.
inline constexpr size_t idempotency_key_bytes_max = 255;
/// Largest input and metadata of a run, in bytes of JSON.
inline constexpr size_t input_bytes_max = 1024 * 1024;

/// Limits of admission. Each bounds memory or fairness; all can be set by configuration.
struct dispatcher_options {
  /// Runs that act at the same time, over all tenants.
  size_t runs_running_max = 100'000;
  /// Runs of one tenant that act at the same time.
  size_t runs_running_per_tenant_max = 50'000;
  /// Runs that wait for a slot; further starts are refused with a time to come back.
  size_t runs_waiting_max = 100'000;
  /// Starts whose acknowledgement is still on its way to disk; further ones are refused. Bounds memory while the
  /// database is away.
  size_t starts_unsettled_max = 20'000;
  /// Bytes of the live runs' inputs, metadata and outputs; starts are refused while they have more.
  size_t runs_bytes_max = 1024ULL * 1024 * 1024;
  /// Starts are refused while the oldest append has been waiting for the database for longer, so that those that were
  /// accepted end soon.
  std::chrono::milliseconds append_wait_max{100};
  /// The same for tenants that start much more than the others, so that those notice little of it.
  std::chrono::milliseconds append_wait_fair_max{10};
  /// While fewer appends than this wait, nobody is refused for it: they all go with the next commit, and only that is
  /// slow. Not a setting of the daemon.
  size_t congestion_appends_min = 200;
  /// Who is refused for it is not told to come back sooner. Not a setting of the daemon.
  std::chrono::milliseconds congestion_retry_after_min{100};
  /// After so long a waiting run moves up one priority.
  duration ageing_interval = std::chrono::seconds(10);
  /// What a tenant may begin in its turn, counted in steps.
  int64_t round_robin_quantum = 10;
  /// What a refused caller is told to wait.
  std::chrono::milliseconds refusal_retry_after{1000};
  /// Between attempts to read back a run whose actor died. Not a setting of the daemon.
  duration revive_interval = std::chrono::seconds(1);
  /// How long the calls of runs that are handed to another node may still be out. Meanwhile those runs begin nothing;
  /// what is out afterwards is abandoned here and made again there.
  duration handover_grace = std::chrono::seconds(2);
  /// Run numbers reserved at a time; the first time, so that a node that starts and ends often takes few. Not a setting
  /// of the daemon, the second.
  int64_t run_numbers_block = 20'000;
  int64_t run_numbers_first_block = 1'000;
};

/// Limits of the persistence actor.
struct persistence_options {
  /// Runs in one batch.
  size_t batch_runs_max = 500;
  /// Bytes of JSON in one batch, about.
  size_t batch_bytes_max = 8 * 1024 * 1024;
  /// After a transient failure, doubling up to the maximum, with jitter.
  std::chrono::milliseconds retry_interval_initial{50};
  std::chrono::milliseconds retry_interval_max{5'000};
};

/// Settings of one run's actor.
struct run_options {
  /// A run that lasts longer gets its audit row brought up to date this often.
  duration projection_interval = std::chrono::milliseconds(250);
  /// How long the answers of calls that are in flight are awaited once their run is cancelled. What has not answered by
  /// then has an unknown outcome.
  duration cancel_grace = std::chrono::seconds(30);
};

/// Settings of the lease keeper.
struct lease_options {
  std::chrono::milliseconds lease_duration{5'000};
  /// A third of the lease leaves room for two heartbeats that are lost.
  std::chrono::milliseconds heartbeat_interval{1'500};
  /// A node hands its surplus over when it had one at so many heartbeats in a row, so that a node that comes and goes
  /// moves nothing. Not a setting of the daemon.
  uint32_t surplus_beats_min = 2;
  /// Between two looks while a peer's lease is about to run out: so long is a shard nobody's at the most. Not a setting
  /// of the daemon.
  std::chrono::milliseconds close_look_interval{250};
  /// How long such looks go on after the lease of a peer that just died must have run out. Not a setting of the daemon.
  std::chrono::milliseconds close_look_margin{1'000};
  /// Between two looks at what unfinished runs need, at a node that lacks some of it. Not a setting of the daemon.
  std::chrono::milliseconds lacks_look_interval{10'000};
  /// A node that lacked something that unfinished runs needed holds no shards for so long after the last of them has
  /// ended, so that single runs do not move shards back and forth. Not a setting of the daemon.
  std::chrono::milliseconds lacks_kept = std::chrono::minutes(10);
  /// A node whose lease ran out so long ago is removed from the table of nodes.
  std::chrono::milliseconds node_forgotten_after = std::chrono::hours(24);
};

/// Settings of recovery.
struct recovery_options {
  /// Runs read at a time.
  size_t page_runs_max = 500;
  /// Shards recovered together, so that the first are ready early.
  size_t shards_at_a_time = 16;
  /// No more runs than this are taken up per second, so that what they do next does not come all at once.
  size_t runs_per_second_max = 20'000;
  /// While more appends than this wait for the database, no page is read.
  size_t appends_waiting_max = 2'000;
  /// Between two looks at how many wait. Not a setting of the daemon.
  std::chrono::milliseconds pace_interval{50};
  std::chrono::milliseconds retry_interval{500};
};

/// Settings of the feed of endings.
struct endings_options {
  /// The newest endings that are kept; about 64 bytes each.
  size_t kept_max = 100'000;
  /// Requests that wait for the next ending. Not a setting of the daemon.
  size_t polls_waiting_max = 256;
};

/// Settings of the watchdog.
struct watchdog_options {
  /// It does not look at all.
  bool off = false;
  /// Between two looks. A run is found out on two looks in a row.
  std::chrono::milliseconds look_interval{10'000};
  /// How long a timer, a deadline or an append may be over its time before that is a fault.
  std::chrono::milliseconds overdue_grace{30'000};
  /// Live runs asked at a time.
  size_t page_runs_max = 500;
  /// Open rows read in one look; more take several looks.
  size_t listed_rows_max = 20'000;
  /// Runs with a damaged journal that one look reads back, in case they were repaired.
  size_t stopped_runs_max = 20;
  /// Runs that one look has taken up anew; the others wait for the next.
  size_t heals_per_look_max = 1'000;
  /// After so many times of being taken up anew without a new event, a run is given up.
  uint32_t heals_max = 3;
};

} // namespace levain
