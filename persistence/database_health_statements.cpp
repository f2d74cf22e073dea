#include "persistence/database_health_statements.hpp"

#include "persistence/cluster_reading.hpp"
#include "persistence/event_columns.hpp"

namespace levain {

// `reset_val` is what a session begins with: this one may have set its own.
const char* const server_health_statement = R"(
  select
    current_setting('server_version'),
    clock_timestamp(),
    pg_postmaster_start_time(),
    pg_is_in_recovery(),
    current_setting('fsync')::boolean,
    current_setting('full_page_writes')::boolean,
    current_setting('autovacuum')::boolean and current_setting('track_counts')::boolean,
    (select reset_val from pg_settings where name = 'synchronous_commit'),
    (select age(datfrozenxid) from pg_database where datname = current_database()))";

const char* const connection_limit_statement = R"(
  select current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint)";

const char* const connections_statement = R"(
  select coalesce(nullif(application_name, ''), 'unnamed'), count(*)
  from pg_stat_activity
  where backend_type = 'client backend'
  group by 1)";

// The inner limit bounds the walk along the index on the status.
const char* const count_runs_statement = R"(
  select count(*)
  from (
    select
    from orchestration_runs
    where status = $1::orchestrationstatus
      and workflow is not null
    limit $2::bigint
  ) as counted)";

// Of the rows in all, as many as the statistics saw of each status.
const char* const ended_runs_statement = R"(
  select seen.status, (seen.share * tables.reltuples)::bigint
  from pg_stats
  cross join lateral unnest(most_common_vals::text::text[], most_common_freqs) as seen (status, share)
  cross join pg_class as tables
  where tables.oid = 'orchestration_runs'::regclass
    and pg_stats.schemaname = current_schema()
    and pg_stats.tablename = 'orchestration_runs'
    and pg_stats.attname = 'status'
    and tables.reltuples > 0
    and seen.status not in ('pending', 'running'))";

const char* const oldest_run_statement = R"(
  select run_number, started_at
  from orchestration_runs
  where status = $1::orchestrationstatus
    and workflow is not null
    and started_at >= '0001-01-01'
    and started_at < '10000-01-01'
  order by started_at
  limit 1)";

const char* const count_attention_statement = R"(
  select count(*)
  from (
    select
    from orchestration_runs
    where attention is not null
    limit $1::bigint
  ) as counted)";

const char* const attention_first_statement = R"(
  select run_number, attention
  from orchestration_runs
  where attention is not null
  order by started_at desc
  limit $1::bigint)";

// By the indexes over the whole table where there are some; every column in the newest rows.
const char* const unreadable_rows_statement = R"(
  with known as (
    select array[
      'pending', 'running', 'completed', 'partial_success', 'failed', 'cancelled']::orchestrationstatus[] as statuses
  ),
  suspects as (
    (
      select id
      from orchestration_runs
      where started_at < '0001-01-01' or started_at >= '10000-01-01'
      limit $1::bigint
    )
    union
    (
      select id
      from orchestration_runs
      where completed_at < '0001-01-01' or completed_at >= '10000-01-01'
      limit $1::bigint
    )
    union
    (
      select id
      from orchestration_runs
      where status = any(array(
        select each
        from unnest(enum_range(null::orchestrationstatus)) as each
        cross join known
        where each <> all(known.statuses)))
      limit $1::bigint
    )
    union
    (
      select id
      from (
        select *
        from orchestration_runs
        order by started_at desc
        limit $2::bigint
      ) as newest
      where least(
          created_at, updated_at,
          forecasting_started_at, forecasting_completed_at,
          production_started_at, production_completed_at,
          procurement_started_at, procurement_completed_at,
          notification_started_at, notification_completed_at,
          ai_insights_started_at, ai_insights_completed_at) < '0001-01-01'
        or greatest(
          created_at, updated_at,
          forecasting_started_at, forecasting_completed_at,
          production_started_at, production_completed_at,
          procurement_started_at, procurement_completed_at,
          notification_started_at, notification_completed_at,
          ai_insights_started_at, ai_insights_completed_at) >= '10000-01-01'
      limit $1::bigint
    )
  )
  select run_number
  from suspects
  join orchestration_runs using (id)
  order by run_number)";

const std::string contradicted_rows_statement = std::string(R"(
  select coalesce(run.run_number, seen.run_id::text)
  from (
    select distinct run_id
    from (
      select run_id
      from run_events
      order by run_id desc
      limit $1::bigint
    ) as newest
  ) as seen
  left join orchestration_runs as run on run.id = seen.run_id
  cross join lateral (
    select kind
    from run_events
    where run_events.run_id = seen.run_id
    order by seq desc
    limit 1
  ) as last
  where (run.status is null or run.status not in ('pending', 'running'))
    and last.kind not in )") + settled_kinds + R"(
  order by 1)";

// By the indexes on the two times. Beyond the calendar they are unreadable, which is counted apart.
const char* const count_times_ahead_statement = R"(
  select count(*)
  from (
    (
      select id
      from orchestration_runs
      where started_at > clock_timestamp() + $1::bigint * interval '1 second'
        and started_at < '10000-01-01'
      limit $2::bigint
    )
    union
    (
      select id
      from orchestration_runs
      where completed_at > clock_timestamp() + $1::bigint * interval '1 second'
        and completed_at < '10000-01-01'
      limit $2::bigint
    )
  ) as ahead)";

// By the index on the status; the engine's own open runs have a workflow.
const char* const count_adopted_open_statement = R"(
  select count(*)
  from (
    select
    from orchestration_runs as run
    where status in ('pending', 'running')
      and workflow is null
      and not exists (select from run_events where run_events.run_id = run.id)
    limit $1::bigint
  ) as counted)";

const char* const count_stopped_statement = R"(
  select kind, count(*)
  from stopped_runs
  group by kind)";

const char* const stopped_first_statement = R"(
  select coalesce(run_number, run_id::text), kind || ': ' || reason
  from stopped_runs
  left join orchestration_runs on id = run_id
  order by since desc
  limit $1::bigint)";

const std::string nodes_statement = R"(
  select
    id,
    name,
    address,
    version,
    case when isfinite(heartbeat_at) then extract(epoch from clock_timestamp() - heartbeat_at) * 1000000 else 0 end,
    )" + is_alive() + R"(,
    (select count(*) from shards where node = nodes.id)
  from nodes
  order by name, id)";

const std::string shards_statement = R"(
  select
    count(*) filter (where node is null),
    count(*) filter (where node is not null and not exists (
      select
      from nodes
      where nodes.id = shards.node
        and )" + is_alive() + R"(
    ))
  from shards)";

namespace {

/// The engine's tables and the journal's partitions.
constexpr const char* own_tables = R"(
  (
    select oid
    from pg_class
    where relnamespace = current_schema()::regnamespace
      and relkind = 'r'
      and relname in (
        'orchestration_runs', 'workflow_definitions', 'run_starts', 'nodes', 'shards', 'run_numbers', 'stopped_runs',
        'levain_migrations'
      )
    union all
    select inhrelid
    from pg_inherits
    where inhparent = 'run_events'::regclass
  ))";

} // namespace

const std::string tables_statement = R"(
  select
    relname,
    n_live_tup,
    n_dead_tup,
    pg_total_relation_size(relid),
    greatest(last_vacuum, last_autovacuum),
    greatest(last_analyze, last_autoanalyze)
  from pg_stat_all_tables
  where relid in )" + std::string(own_tables) +
                                     R"(
  order by relname)";

const char* const partitions_statement = R"(
  select
    substring(pg_get_expr(c.relpartbound, c.oid) from 'FROM \(''([0-9a-f-]+)''\)')::uuid,
    substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([0-9a-f-]+)''\)')::uuid
  from pg_inherits as i
  join pg_class as c on c.oid = i.inhrelid
  where i.inhparent = 'run_events'::regclass
    and pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
  order by 1)";

const char* const default_partition_statement = R"(
  select exists (select from run_events_default))";

// Other users' sessions show no times to whoever may not see them; they are left out.
const char* const open_transactions_statement = R"(
  select name, application, state, extract(epoch from clock_timestamp() - began_at) * 1000000
  from (
    select 'session ' || pid as name, application_name as application, state, xact_start as began_at
    from pg_stat_activity
    where datname = current_database()
      and backend_type = 'client backend'
      and pid <> pg_backend_pid()
    union all
    select 'prepared transaction ' || gid, owner::text, 'prepared', prepared
    from pg_prepared_xacts
    where database = current_database()
  ) as open
  where began_at is not null
  order by began_at
  limit $1::bigint)";

const char* const replication_slots_statement = R"(
  select
    slot_name,
    active,
    coalesce(case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) end, 0)::bigint,
    coalesce(greatest(age(xmin), age(catalog_xmin)), 0)::bigint
  from pg_replication_slots
  order by slot_name)";

const std::string unlogged_tables_statement = R"(
  select relname
  from pg_class
  where relpersistence = 'u'
    and oid in )" + std::string(own_tables) + R"(
  order by relname)";

// Asked once for each table; partitions are written through their parent.
// Partitions are attached, and the daily view is filled, by their owner alone.
const char* const missing_rights_statement = R"(
  select lacking
  from (
    select tables.name, tables.name || ': ' || string_agg(rights.name, ', ' order by rights.place)
    from unnest(array[
      'orchestration_runs', 'run_events', 'workflow_definitions', 'run_starts', 'nodes', 'shards', 'run_numbers',
      'stopped_runs', 'levain_migrations']) as tables (name)
    cross join unnest(array['select', 'insert', 'update', 'delete']) with ordinality as rights (name, place)
    where not has_table_privilege(tables.name, rights.name)
    group by tables.name
    union all
    select 'upkeep: ' || relname, relname || ': to own it'
    from pg_class
    where oid in (to_regclass('orchestration_daily'), to_regclass('run_events'))
      and not pg_has_role(relowner, 'usage')
    union all
    select 'upkeep: schema', 'schema ' || current_schema() || ': create'
    where not has_schema_privilege(current_schema(), 'create')
  ) as rights (name, lacking)
  order by rights.name)";

const char* const open_schema_statement = R"(
  select case when has_schema_privilege('public', current_schema(), 'create') then current_schema() else '' end)";

// What `read_timestamp` takes.
const char* const unreadable_definitions_statement = R"(
  select name || ' ' || version
  from workflow_definitions
  where registered_at < '0001-01-01 00:00:00+00'
    or registered_at >= '10000-01-01 00:00:00+00'
  order by name, version
  limit $1)";

const std::string invalid_indexes_statement = R"(
  select pg_class.relname
  from pg_index
  join pg_class on pg_class.oid = pg_index.indexrelid
  where not (pg_index.indisvalid and pg_index.indisready)
    and pg_index.indrelid in )" + std::string(own_tables) +
                                              R"(
  order by pg_class.relname)";

} // namespace levain
