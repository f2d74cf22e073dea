#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "persistence/audit_row.hpp"
#include "persistence/ids.hpp"
#include "persistence/migrator.hpp"
#include "persistence/run_stop.hpp"

namespace levain {

/// The server behind the database, and the settings that the promises need.
struct server_health {
  /// `15.5`, as the server names itself.
  std::string version;
  /// By the server's clock.
  timestamp now{};
  timestamp started_at{};
  /// True for a standby, which takes no writes.
  bool in_recovery = false;
  bool fsync = true;
  bool full_page_writes = true;
  bool autovacuum = true;
  /// What a session gets that says nothing; the engine's own say `on` where this is `off`.
  std::string synchronous_commit;
  /// Transactions since the oldest row that is not frozen; at about 2,100 million the server refuses to write.
  int64_t transaction_ids_used = 0;
};

/// What other clocks there are: the one of whoever asked, taken in the middle of the question.
struct clock_reading {
  timestamp ours{};
  timestamp database{};
  /// How long the answer took; the reading is no better than half of it.
  duration round_trip{};
};

struct connection_health {
  /// `max_connections` without those reserved for superusers.
  int64_t connections_max = 0;
  int64_t connections_used = 0;
  /// By application name, over all databases of the server.
  std::map<std::string, int64_t> by_application;
};

/// A run by its number, and since when.
struct run_since {
  std::string run_number;
  timestamp since{};
};

/// A run that a person has to look at, and why.
struct run_noted {
  std::string run_number;
  std::string reason;
};

/// Counts go up to `runs_counted_max`, which then means that or more.
struct run_health {
  int64_t pending = 0;
  int64_t running = 0;
  /// Runs that ended, by status, as the planner's statistics estimate them; empty before the table was analyzed.
  std::map<std::string, int64_t> ended_about;
  /// The oldest run that waits for a slot.
  std::optional<run_since> oldest_pending;
  std::optional<run_since> oldest_running;
  /// Runs whose `attention` says why a person has to look at them, and the youngest few.
  int64_t attention = 0;
  std::vector<run_noted> attention_first;
  /// Runs that nobody acts for (`stopped_runs`), by kind, and the youngest few.
  std::map<stop_kind, int64_t> stopped;
  std::vector<run_noted> stopped_first;
  /// Rows with a time beyond the years 1 to 9999 or a status that this program does not know, up to
  /// `unreadable_counted_max`, and the numbers of the first few. Where a column has no index, the newest
  /// `unreadable_looked_at_max` rows are looked at.
  int64_t unreadable = 0;
  std::vector<std::string> unreadable_first;
  /// Runs that go on by their journals although their rows are gone or say that they ended, by number or id; of the
  /// newest `contradicted_events_max` events.
  std::vector<std::string> contradicted;
  /// Pending and running rows of another program, for which nobody acts here: they have no workflow and no journal.
  int64_t adopted_open = 0;
  /// Rows with a start or an end more than `time_ahead_max` ahead of the database's clock, up to `runs_counted_max`.
  int64_t times_ahead = 0;
};

/// Clocks of nodes may be ahead by a little.
inline constexpr std::chrono::seconds time_ahead_max{60};

inline constexpr int64_t unreadable_counted_max = 10'000;
inline constexpr int64_t unreadable_looked_at_max = 100'000;
inline constexpr int64_t contradicted_events_max = 50'000;

inline constexpr int64_t runs_counted_max = 1'000'000;
/// How many runs are named.
inline constexpr int64_t runs_named_max = 5;

/// A row of `nodes`.
struct node_health {
  uuid id;
  std::string name;
  std::string address;
  std::string version;
  duration since_heartbeat{};
  bool alive = false;
  int64_t shards = 0;
};

struct shard_health {
  /// Nobody's.
  int64_t free = 0;
  /// Of nodes that are not known, or whose lease has run out.
  int64_t abandoned = 0;
};

/// One of the engine's tables, or a partition, by the server's statistics.
struct table_health {
  std::string name;
  int64_t live_rows = 0;
  int64_t dead_rows = 0;
  int64_t bytes = 0;
  /// By hand or by itself.
  std::optional<timestamp> vacuumed_at;
  std::optional<timestamp> analyzed_at;
};

/// The journal's partitions.
struct partition_health {
  int64_t count = 0;
  /// The span of time for which there are partitions without a gap from now on; nothing when not even for now.
  std::optional<timestamp> covered_until;
  std::optional<timestamp> oldest_from;
  /// Something stands in the default partition.
  bool default_is_used = false;
};

/// What keeps vacuum from cleaning up.
struct open_transaction {
  /// `session 1234`, `prepared transaction x`.
  std::string name;
  std::string application;
  /// `idle in transaction`, `active`, ...
  std::string state;
  duration age{};
};

struct replication_slot {
  std::string name;
  bool active = false;
  /// Write-ahead log that is kept for it.
  int64_t bytes_kept = 0;
  /// Transactions since the oldest that it keeps from being vacuumed; 0 when it keeps none.
  int64_t transactions_held = 0;
};

/// Everything that `levain doctor` knows of a database, from one moment. Figures alone: what is good and what is bad is
/// said elsewhere.
struct database_health {
  server_health server;
  clock_reading clock;
  connection_health connections;
  std::vector<migration_status> migrations;
  /// False when migrations are missing: what follows is then empty.
  bool has_schema = false;
  run_health runs;
  std::vector<node_health> nodes;
  shard_health shards;
  std::vector<table_health> tables;
  partition_health partitions;
  /// The oldest few, in this database.
  std::vector<open_transaction> open_transactions;
  std::vector<replication_slot> replication_slots;
  /// Of the engine's tables: what a crash would empty, and indexes that are not used because building them failed.
  std::vector<std::string> unlogged_tables;
  std::vector<std::string> invalid_indexes;
  /// The schema of the engine's tables, when every role may create objects in it; empty when not.
  std::string schema_open_to_all;
  /// The role that asks, and what it may not do with the engine's tables: `nodes: update, delete`.
  std::string role;
  std::vector<std::string> rights_missing;
  /// Definitions whose row cannot be read, the first few: `bread 1`.
  std::vector<std::string> definitions_unreadable;
};

/// Reads it all over a connection of its own; cheap, whatever the size of the tables. `now` is the clock that the
/// database's is compared with. Throws `journal_unavailable` (see journal.hpp) when the database cannot be asked. Any
/// thread.
database_health read_database_health(
  const std::string& url, const std::string& application_name = "levain doctor",
  const std::function<timestamp()>& now = now_utc);

} // namespace levain
