#pragma once

#include <string>

// The statements behind `database_health`. None of them reads the journal, or more of the audit table than an index
// leads to and a limit allows.

namespace levain {

/// The columns of `server_health` in their order.
extern const char* const server_health_statement;
extern const char* const connection_limit_statement;
extern const char* const connections_statement;
/// $1 status, $2 at most so many.
extern const char* const count_runs_statement;
extern const char* const ended_runs_statement;
/// $1 status.
extern const char* const oldest_run_statement;
/// $1 at most so many.
extern const char* const count_attention_statement;
/// $1 at most so many.
extern const char* const attention_first_statement;
/// $1 rows at most, $2 of the newest rows how many are looked at as a whole.
extern const char* const unreadable_rows_statement;
/// $1 events at most.
extern const std::string contradicted_rows_statement;
extern const char* const count_times_ahead_statement;
extern const char* const count_adopted_open_statement;
extern const char* const count_stopped_statement;
/// $1 at most so many.
extern const char* const stopped_first_statement;
extern const std::string nodes_statement;
extern const std::string shards_statement;
extern const std::string tables_statement;
extern const char* const partitions_statement;
extern const char* const default_partition_statement;
/// $1 at most so many.
extern const char* const open_transactions_statement;
extern const char* const replication_slots_statement;
extern const std::string unlogged_tables_statement;
extern const std::string invalid_indexes_statement;
extern const char* const missing_rights_statement;
extern const char* const open_schema_statement;
extern const char* const unreadable_definitions_statement;

} // namespace levain
