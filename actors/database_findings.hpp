#pragma once

#include <vector>

#include "actors/finding.hpp"
#include "persistence/database_health.hpp"

namespace levain {

// The thresholds of the findings. Each is where a person should look, not where something breaks.

/// Of the connections that the server takes: from the first on it is time to think, from the second on the next daemon,
/// or a daemon that reconnects, may be refused.
inline constexpr double connections_used_warning = 0.8;
inline constexpr double connections_used_critical = 0.95;
/// A waiting run moves up a priority every ten seconds, so one that waits for so long is kept by a limit, not by
/// others.
inline constexpr duration pending_run_old = std::chrono::minutes(10);
/// No step of a bakery's night takes as long as a day; a run that goes on for longer is worth a look.
inline constexpr duration running_run_old = std::chrono::hours(24);
/// Autovacuum comes at a fifth of a table's rows; at twice that it does not keep up. Small tables come and go.
inline constexpr double dead_rows_warning = 0.4;
inline constexpr int64_t dead_rows_min = 10'000;
/// Below so many rows a plan is good without statistics.
inline constexpr int64_t analyzed_rows_min = 10'000;
/// The daemon makes partitions for eight weeks every hour; fewer than these say that its upkeep has failed for weeks.
inline constexpr duration partitions_ahead_warning = std::chrono::weeks(2);
/// A weekly partition more costs every plan a little; two years of them say that retention is nobody's business.
inline constexpr int64_t partitions_notice = 104;
/// Vacuum cleans nothing that ended since the oldest transaction began. The engine's own last milliseconds.
inline constexpr duration open_transaction_notice = std::chrono::minutes(5);
inline constexpr duration open_transaction_warning = std::chrono::hours(1);
/// Write-ahead log kept for a replica: disks have filled up by this.
inline constexpr int64_t slot_bytes_warning = int64_t{10} << 30;
/// PostgreSQL's own freezing begins at 200 million and it stops writing at about 2,100 million.
inline constexpr int64_t transaction_ids_warning = 1'000'000'000;
inline constexpr int64_t transaction_ids_critical = 1'800'000'000;
/// Between two machines with a time service it is milliseconds. Above `clock_difference_max` (journal_order.hpp) it is
/// critical.
inline constexpr duration clock_difference_warning = std::chrono::seconds(1);

/// What the figures mean; one finding for everything that was looked at, good or bad. Pure.
std::vector<finding> database_findings(const database_health& health);

/// How far the clock of whoever asked the database is from the database's. Pure.
finding clock_finding(const clock_reading& clock, finding_subject whose);

} // namespace levain
