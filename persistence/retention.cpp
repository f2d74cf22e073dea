#include "persistence/retention.hpp"

#include <stdexcept>

#include <pqxx/pqxx>

#include "persistence/event_columns.hpp"
#include "persistence/migrator.hpp"
#include "persistence/schema_partitions.hpp"
#include "persistence/schema_session.hpp"
#include "persistence/uuid.hpp"

namespace levain {

namespace {

/// For a row that another session has locked, after the rows that can be had were taken.
constexpr std::chrono::milliseconds retention_lock_timeout{5'000};

constexpr std::string_view first_id = "00000000-0000-0000-0000-000000000000";

// A run that ended before the moment began before it, so that the ids bound the walk along the primary key.
const std::string ended_runs = std::string(R"(
  from orchestration_runs as run
  where run.id > $1::uuid
    and run.id < $2::uuid
    and run.status in ('completed', 'partial_success', 'failed', 'cancelled')
    and run.completed_at < $3::timestamptz
    and run.workflow is not null
    and run.attention is null
    and not exists (select from stopped_runs as stopped where stopped.run_id = run.id)
    and coalesce(
      (
        select events.kind in )") +
                               settled_kinds +
                               R"(
        from run_events as events
        where events.run_id = run.id
        order by events.seq desc
        limit 1
      ), true))";

// What is locked is being written by a run's owner, and is left for the next time.
const std::string take_ended_runs = "select run.id" + ended_runs + R"(
  order by run.id
  limit $4::bigint
  for update of run skip locked)";

const std::string count_ended_runs = "select count(*)" + ended_runs;

constexpr const char* count_kept_for_attention = R"(
  select count(*)
  from orchestration_runs as run
  where run.id < $1::uuid
    and run.status in ('completed', 'partial_success', 'failed', 'cancelled')
    and run.completed_at < $2::timestamptz
    and run.workflow is not null
    and (
      run.attention is not null
      or exists (select from stopped_runs as stopped where stopped.run_id = run.id)
    ))";

constexpr const char* delete_events = "delete from run_events where run_id = any($1::uuid[])";
constexpr const char* delete_start_keys = "delete from run_starts where run_id = any($1::uuid[])";
constexpr const char* delete_rows = "delete from orchestration_runs where id = any($1::uuid[])";

/// One batch. The last id that was taken; empty when none was left.
std::string delete_batch(
  pqxx::connection& connection, const std::string& after, const std::string& below, const retention_options& options,
  retention_report& report) {
  pqxx::work transaction(connection, "retention");
  const auto taken =
    transaction.exec_params(take_ended_runs, after, below, to_rfc3339(options.before), options.batch_runs_max);
  if (taken.empty())
    return {};
  std::string ids = "{";
  for (const auto& row : taken)
    ids += (ids.size() > 1 ? "," : "") + row[0].as<std::string>();
  ids += '}';
  const auto events = transaction.exec_params(delete_events, ids).affected_rows();
  const auto start_keys = transaction.exec_params(delete_start_keys, ids).affected_rows();
  transaction.exec_params(delete_rows, ids);
  transaction.commit();
  report.runs += taken.size();
  report.events += static_cast<int64_t>(events);
  report.start_keys += static_cast<int64_t>(start_keys);
  return taken.back()[0].as<std::string>();
}

} // namespace

retention_report delete_ended_runs(
  const std::string& url, const retention_options& options, const std::function<void(int64_t runs)>& progress) {
  if (options.batch_runs_max < 1 || options.batch_runs_max > retention_batch_max)
    throw std::invalid_argument(
      "batch: " + std::to_string(options.batch_runs_max) + " runs; must be 1 to " +
      std::to_string(retention_batch_max));
  retention_report report;
  try {
    in_schema_session(url, retention_lock_timeout, [&](pqxx::connection& connection) {
      const auto below = to_string(lowest_id(options.before));
      {
        pqxx::work transaction(connection, "retention");
        const auto before = to_rfc3339(options.before);
        report.kept_for_attention = transaction.exec_params1(count_kept_for_attention, below, before)[0].as<int64_t>();
        if (options.dry_run)
          report.runs =
            transaction.exec_params1(count_ended_runs, std::string(first_id), below, before)[0].as<int64_t>();
      }
      if (options.dry_run)
        return;
      std::string after(first_id);
      while (!(after = delete_batch(connection, after, below, options, report)).empty())
        if (progress)
          progress(report.runs);
    });
  } catch (const migration_error& refused) {
    if (report.runs == 0 || options.dry_run)
      throw;
    throw migration_error(
      std::to_string(report.runs) + " runs were deleted, then it stopped. Of the next batch: " + refused.what());
  }
  if (options.dry_run)
    return report;
  try {
    report.partitions = drop_empty_partitions_before(url, options.before);
  } catch (const migration_error& refused) {
    report.partitions_refused = refused.what();
  }
  return report;
}

} // namespace levain
