#pragma once

#include <string>
#include <vector>

namespace levain {

/// The statements behind `queries`. Optional conditions read `$n is null or ...`: the sessions plan for the values at
/// hand
/// (`plan_cache_mode = force_custom_plan`), so a condition that asks for nothing costs nothing and keeps no index away.
struct queries_statement {
  std::string name;
  std::string sql;
};

/// $1 name and $2 version after which the page begins, $3 limit.
const queries_statement& list_definitions_statement();
/// $1 tenant, $2 limit.
const queries_statement& active_runs_statement();
/// $1 tenant, $2 from, $3 to, $4 limit.
const queries_statement& run_history_statement();
/// $1 tenant, $2 since.
const queries_statement& metrics_summary_statement();
/// $1 tenant or null, $2 limit.
const queries_statement& runs_needing_attention_statement();
/// $1 tenant or null, $2 run.
const queries_statement& find_run_statement();
/// $1 tenant or null, $2 run number.
const queries_statement& find_run_by_number_statement();
/// $1 run.
const queries_statement& has_run_statement();
/// $1 tenant or null, $2 statuses, $3 run type, $4 workflow, $5 from, $6 before, $7 and $8 the cursor, $9 limit,
/// $10 activities. Like all lists, it selects the row's columns and the run's activity; then `created_at` as text, for
/// the cursor.
const queries_statement& list_runs_statement();
/// $1 run.
const queries_statement& read_events_statement();
/// $1 tenant or null, $2 run, $3 since, $4 after, $5 up to, $6 limit or null.
const queries_statement& verify_rows_statement();
/// $1 runs, $2 bytes: how many bytes the rows and events of the first runs have, until together they have so many.
const queries_statement& measure_runs_statement();
/// As `verify_rows_statement`, the ids and the run numbers alone.
const queries_statement& verify_ids_statement();
/// The plan, as JSON, of reading all rows; $1 to $5 as above. Not to be prepared: a plan is made for values.
const queries_statement& estimated_runs_statement();
/// $1 runs.
const queries_statement& verify_events_statement();
/// $1 after, $2 up to, $3 limit.
const queries_statement& events_without_row_statement();

/// $1 shard.
const queries_statement& find_owner_statement();

const queries_statement& view_cluster_statement();

/// All that are to be prepared.
const std::vector<queries_statement>& queries_statements();

} // namespace levain
