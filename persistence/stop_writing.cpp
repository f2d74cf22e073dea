#include "persistence/stop_writing.hpp"

#include <array>
#include <stdexcept>

#include "persistence/array_literal.hpp"
#include "persistence/event_columns.hpp"

namespace levain {

namespace {

constexpr const char* find_row = R"(
  select run.tenant_id, run.status, run.workflow is not null, stop.kind, stop.reason, stop.since
  from orchestration_runs as run
  left join stopped_runs as stop on stop.run_id = run.id
  where run.id = $1::uuid)";

// By the index on status, once for the whole page: see `list_unfinished_runs`.
constexpr const char* find_open_rows = R"(
  select id
  from orchestration_runs
  where status in ('pending', 'running')
    and workflow is not null
    and (get_byte(uuid_send(id), 15) & 63) = any(array(
      select shard
      from shards
      where (shard, epoch) in (select * from unnest($1::smallint[], $2::bigint[]))))
    and ($3::uuid is null or id > $3::uuid)
  order by id
  limit $4)";

// A stop of the same kind keeps its time: it goes on.
constexpr const char* put_stops = R"(
  insert into stopped_runs (run_id, kind, reason)
  select unnest($1::uuid[]), unnest($2::text[]), unnest($3::text[])
  on conflict (run_id) do update
  set
    kind = excluded.kind,
    reason = excluded.reason,
    since = case when stopped_runs.kind = excluded.kind then stopped_runs.since else excluded.since end
  where (stopped_runs.kind, stopped_runs.reason) is distinct from (excluded.kind, excluded.reason))";

constexpr const char* remove_stops = R"(
  delete from stopped_runs
  where run_id = any($1::uuid[]))";

static_assert(shard_count == 64, "the statement folds ids by 63");

} // namespace

std::vector<named_statement> stop_statements() {
  return {
    {"find_row", find_row},
    {"find_open_rows", find_open_rows},
    {"put_stops", put_stops},
    {"remove_stops", remove_stops},
  };
}

void write_stop_changes(pqxx::transaction_base& transaction, const std::vector<stop_change>& changes) {
  std::array<bool, shard_count> wanted{};
  for (const auto& change : changes)
    wanted[shard_of(change.run)] = true;
  array_literal shards;
  for (size_t shard = 0; shard < wanted.size(); ++shard)
    if (wanted[shard])
      shards.number(static_cast<int64_t>(shard));
  std::array<std::optional<epoch_number>, shard_count> epochs;
  for (const auto& row : transaction.exec_prepared("lock_epochs", shards.take()))
    epochs.at(row[0].as<size_t>()) = row[1].as<epoch_number>();
  array_literal runs;
  array_literal kinds;
  array_literal reasons;
  array_literal resumed;
  bool any_stop = false;
  bool any_resumed = false;
  for (const auto& change : changes) {
    if (epochs[shard_of(change.run)] != change.epoch)
      continue;
    if (!change.stop) {
      resumed.id(change.run.value);
      any_resumed = true;
      continue;
    }
    runs.id(change.run.value);
    kinds.plain(to_string(change.stop->kind));
    reasons.quoted(change.stop->reason);
    any_stop = true;
  }
  if (any_stop)
    transaction.exec_prepared("put_stops", runs.take(), kinds.take(), reasons.take());
  if (any_resumed)
    transaction.exec_prepared("remove_stops", resumed.take());
}

row_outline read_row_outline(const pqxx::row& row) {
  row_outline outline;
  outline.tenant.value = read_uuid(row[0]);
  const auto status = parse_run_status(row[1].c_str());
  if (!status)
    throw std::runtime_error(std::string("column status: '") + row[1].c_str() + "' is unknown to this program");
  outline.status = *status;
  outline.has_workflow = row[2].as<bool>();
  if (row[3].is_null())
    return outline;
  const auto kind = parse_stop_kind(row[3].c_str());
  if (!kind)
    throw std::runtime_error(std::string("column kind: '") + row[3].c_str() + "' is unknown to this program");
  outline.stop = run_stop{*kind, row[4].c_str(), read_timestamp(row[5])};
  return outline;
}

} // namespace levain
