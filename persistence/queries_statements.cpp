#include "persistence/queries_statements.hpp"

#include "persistence/audit_columns.hpp"
#include "persistence/cluster_reading.hpp"
#include "persistence/event_columns.hpp"
#include "persistence/run_sizes.hpp"

namespace levain {

namespace {

std::string select_rows() {
  return "select " + audit_columns() + "\nfrom orchestration_runs\n";
}

/// What a run that has not ended is doing, as its journal says. `id` and `status` are the outer row's.
constexpr const char* activity = R"((
      case when status in ('pending', 'running') then (
        select
          case
            when max(seq) filter (where kind = 'cancel_requested')
              > coalesce(max(seq) filter (where kind = 'run_retried'), 0)
            then 'cancelling'
            when max(seq) filter (where kind = 'run_paused')
              > coalesce(max(seq) filter (where kind in ('run_resumed', 'run_retried')), 0)
            then 'paused'
          end
        from run_events
        where run_id = id
      ) end))";

/// What every list selects; see `read_rows` in queries.cpp.
std::string listed_columns() {
  return audit_columns_without_documents() + ",\n    " + activity + " as activity";
}

std::string select_listed_rows() {
  return "select " + listed_columns() + "\nfrom orchestration_runs\n";
}

constexpr const char* verify_condition = R"(
    where ($1::uuid is null or tenant_id = $1::uuid)
      and ($2::uuid is null or id = $2::uuid)
      and ($3::timestamptz is null or started_at >= $3::timestamptz)
      and ($4::uuid is null or id > $4::uuid)
      and ($5::uuid is null or id <= $5::uuid))";

} // namespace

const queries_statement& active_runs_statement() {
  static const queries_statement statement = {"active_runs", select_listed_rows() + R"(
    where tenant_id = $1::uuid
      and status in ('pending', 'running')
    order by started_at desc
    limit $2::bigint)"};
  return statement;
}

const queries_statement& run_history_statement() {
  static const queries_statement statement = {"run_history", select_listed_rows() + R"(
    where tenant_id = $1::uuid
      and started_at between $2 and $3
    order by started_at desc
    limit $4::bigint)"};
  return statement;
}

const queries_statement& metrics_summary_statement() {
  static const queries_statement statement = {"metrics_summary", R"(
    select
      count(*),
      avg(fulfillment_rate),
      avg(on_time_delivery_rate),
      avg(cost_accuracy),
      avg(quality_score),
      avg(case
        when isfinite(started_at) and isfinite(completed_at) then extract(epoch from completed_at - started_at)
      end)
    from orchestration_runs
    where tenant_id = $1::uuid
      and status = 'completed'
      and started_at > $2)"};
  return statement;
}

// Several arms, because one condition with `or` could use none of the indexes to find the youngest first. The runs that
// nobody acts for are few. `started_at` of a run that has ended never changes.
const queries_statement& runs_needing_attention_statement() {
  static const queries_statement statement = {"runs_needing_attention", R"(
    select )" + listed_columns() + R"(,
      started_at::timestamp::text as place
    from (
      (
        select *
        from orchestration_runs
        where status = 'failed'
          and retry_count < 3
          and max_retries_reached = false
          and case when $3::text is null then run_type <> 'test' else run_type = $3::text end
          and not coalesce(error_details ? 'attention_resolved', false)
          and ($1::uuid is null or tenant_id = $1::uuid)
          and ($4::timestamptz is null or (started_at, id) < ($4::timestamptz, $5::uuid))
        order by started_at desc, id desc
        limit $2::bigint
      )
      union all
      (
        select *
        from orchestration_runs
        where attention is not null
          and case when $3::text is null then run_type <> 'test' else run_type = $3::text end
          and not (status = 'failed' and retry_count < 3 and max_retries_reached = false)
          and ($1::uuid is null or tenant_id = $1::uuid)
          and ($4::timestamptz is null or (started_at, id) < ($4::timestamptz, $5::uuid))
        order by started_at desc, id desc
        limit $2::bigint
      )
      union all
      (
        select run.*
        from stopped_runs as stopped
        join orchestration_runs as run on run.id = stopped.run_id
        where run.attention is null
          and ($3::text is null or run.run_type = $3::text)
          and not (run.status = 'failed' and run.retry_count < 3 and run.max_retries_reached = false)
          and ($1::uuid is null or run.tenant_id = $1::uuid)
          and ($4::timestamptz is null or (run.started_at, run.id) < ($4::timestamptz, $5::uuid))
        order by run.started_at desc, run.id desc
        limit $2::bigint
      )
    ) as needing
    order by started_at desc, id desc
    limit $2::bigint)"};
  return statement;
}

const queries_statement& find_run_statement() {
  static const queries_statement statement = {"find_run", select_rows() + R"(
    where id = $2::uuid
      and ($1::uuid is null or tenant_id = $1::uuid))"};
  return statement;
}

const queries_statement& find_run_by_number_statement() {
  static const queries_statement statement = {"find_run_by_number", select_rows() + R"(
    where run_number = $2
      and ($1::uuid is null or tenant_id = $1::uuid))"};
  return statement;
}

const queries_statement& list_runs_statement() {
  static const queries_statement statement = {
    "list_runs", "select " + listed_columns() + R"(,
      created_at::timestamp::text as place
    from orchestration_runs
    where ($1::uuid is null or tenant_id = $1::uuid)
      and (
        ($2::text is null and $10::text is null)
        or status = any($2::text::orchestrationstatus[])
        or (status in ('pending', 'running') and )" +
                   std::string(activity) + R"( = any($10::text::text[]))
      )
      and ($3::text is null or run_type = $3::text)
      and ($4::text is null or workflow = $4::text)
      and ($5::timestamptz is null or started_at >= $5::timestamptz)
      and ($6::timestamptz is null or started_at < $6::timestamptz)
      and ($7::timestamptz is null or (created_at, id) < ($7::timestamptz, $8::uuid))
    order by created_at desc, id desc
    limit $9::bigint)"};
  return statement;
}

const queries_statement& read_events_statement() {
  static const queries_statement statement = {"read_events", std::string("select ") + event_columns + R"(
    from run_events
    where run_id = $1::uuid
    order by seq)"};
  return statement;
}

const queries_statement& verify_rows_statement() {
  static const queries_statement statement = {"verify_rows", select_rows() + verify_condition + R"(
    order by id
    limit $6::bigint)"};
  return statement;
}

const queries_statement& measure_runs_statement() {
  static const std::string sql = run_sizes_statement(
    std::string(R"(
      select row_of.bytes + events_of.bytes as bytes
      from (
        select
          coalesce(sum(
            2000
            + coalesce(octet_length(forecast_data::text), 0)
            + coalesce(octet_length(run_metadata::text), 0)
            + coalesce(octet_length(error_details::text), 0)), 0)::bigint as bytes
        from orchestration_runs
        where id = )") +
    measured_run + ") as row_of cross join (" + measured_events() + ") as events_of");
  static const queries_statement statement = {"measure_runs", sql};
  return statement;
}

const queries_statement& verify_ids_statement() {
  static const queries_statement statement = {
    "verify_ids", std::string("select id, run_number from orchestration_runs") + verify_condition + R"(
    order by id
    limit $6::bigint)"};
  return statement;
}

const queries_statement& estimated_runs_statement() {
  static const queries_statement statement = {
    "estimated_runs", std::string("explain (format json) select from orchestration_runs") + verify_condition};
  return statement;
}

const queries_statement& verify_events_statement() {
  static const queries_statement statement = {"verify_events", std::string("select run_id, ") + event_columns + R"(
    from run_events
    where run_id = any($1::uuid[])
    order by run_id, seq)"};
  return statement;
}

const queries_statement& events_without_row_statement() {
  static const queries_statement statement = {"events_without_row", R"(
    select distinct run_id
    from run_events
    where ($1::uuid is null or run_id > $1::uuid)
      and ($2::uuid is null or run_id <= $2::uuid)
      and not exists (select from orchestration_runs where id = run_id)
    order by run_id
    limit $3::bigint)"};
  return statement;
}

const queries_statement& list_definitions_statement() {
  // Without the bodies, which can be a megabyte each. Times that no calendar has are left out: they cannot be read.
  static const queries_statement statement = {"list_definitions", R"(
    select name, version, content_hash,
      case
        when isfinite(registered_at)
          and registered_at >= timestamptz '0001-01-01 00:00:00+00'
          and registered_at < timestamptz '10000-01-01 00:00:00+00'
        then registered_at
      end
    from workflow_definitions
    where (name collate "C", version) > ($1, $2::integer)
    order by name collate "C", version
    limit $3::bigint)"};
  return statement;
}

const queries_statement& find_owner_statement() {
  static const queries_statement statement = {
    "find_owner", R"(
    select nodes.id, nodes.name, nodes.address, )" +
                    is_alive() + R"(
    from shards
    join nodes on nodes.id = shards.node
    where shards.shard = $1::smallint)"};
  return statement;
}

const queries_statement& view_cluster_statement() {
  static const queries_statement statement = {"view_cluster", read_cluster()};
  return statement;
}

const std::vector<queries_statement>& queries_statements() {
  static const std::vector<queries_statement> all = {active_runs_statement(),      run_history_statement(),
                                                     metrics_summary_statement(),  runs_needing_attention_statement(),
                                                     find_run_statement(),         find_run_by_number_statement(),
                                                     list_runs_statement(),        read_events_statement(),
                                                     verify_rows_statement(),      verify_ids_statement(),
                                                     verify_events_statement(),    events_without_row_statement(),
                                                     find_owner_statement(),       view_cluster_statement(),
                                                     list_definitions_statement(), measure_runs_statement()};
  return all;
}

} // namespace levain
