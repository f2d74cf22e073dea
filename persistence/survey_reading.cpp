#include "persistence/survey_reading.hpp"

#include <algorithm>

#include "persistence/array_literal.hpp"
#include "persistence/event_columns.hpp"
#include "persistence/run_sizes.hpp"

namespace levain {

namespace {

// The rows first: only where they do not say that the run goes on is its newest event looked up, by the key.
const std::string survey_journal = std::string(R"(
  with page as materialized (
    select run_id
    from run_events
    where run_id < $1::uuid
    order by run_id desc
    limit $2
  ),
  seen as (
    select distinct run_id
    from page
  )
  select
    seen.run_id,
    case
      when (get_byte(uuid_send(seen.run_id), 15) & 63) <> all($3::integer[]) then false
      when run.status in ('pending', 'running') then false
      else (
        select kind not in )") + settled_kinds +
                                   R"(
        from run_events
        where run_events.run_id = seen.run_id
        order by seq desc
        limit 1
      )
    end,
    (select count(*) from page)
  from seen
  left join orchestration_runs as run on run.id = seen.run_id
  order by seen.run_id)";

constexpr const char* find_contradicted = R"(
  select asked.run_id
  from unnest($1::uuid[]) as asked (run_id)
  left join orchestration_runs as run on run.id = asked.run_id
  where run.status is null
    or run.status not in ('pending', 'running'))";

const std::string find_without_end = std::string(R"(
  select asked.run_id
  from unnest($1::uuid[]) as asked (run_id)
  cross join lateral (
    select kind
    from run_events
    where run_events.run_id = asked.run_id
    order by seq desc
    limit 1
  ) as newest
  where newest.kind not in )") + settled_kinds;

const std::string measure_runs = run_sizes_statement(measured_events());

constexpr const char* last_id = "ffffffff-ffff-ffff-ffff-ffffffffffff";

static_assert(shard_count == 64, "the statement folds ids by 63");

std::string literal_of(const std::vector<run_id>& runs) {
  array_literal ids;
  for (const auto& run : runs)
    ids.id(run.value);
  return ids.take();
}

std::vector<run_id> ids_of(const pqxx::result& rows) {
  std::vector<run_id> runs;
  for (const auto& row : rows)
    runs.push_back({read_uuid(row[0])});
  return runs;
}

} // namespace

std::vector<named_statement> survey_statements() {
  return {
    {"survey_journal", survey_journal.c_str()},
    {"find_contradicted", find_contradicted},
    {"find_without_end", find_without_end.c_str()},
    {"measure_runs", measure_runs.c_str()},
  };
}

journal_survey::page read_survey(
  pqxx::transaction_base& transaction, const std::vector<shard_lease>& shards, const std::optional<run_id>& before,
  size_t events_max) {
  array_literal wanted;
  for (const auto& each : shards)
    wanted.number(each.shard);
  const auto rows =
    transaction.exec_prepared("survey_journal", before ? to_string(*before) : last_id, events_max, wanted.take());
  journal_survey::page page;
  for (const auto& row : rows)
    if (!row[1].is_null() && row[1].as<bool>())
      page.contradicted.push_back({read_uuid(row[0])});
  if (!rows.empty() && rows[0][2].as<size_t>() == events_max)
    page.next = run_id{read_uuid(rows[0][0])};
  return page;
}

std::vector<run_id> read_contradicted(pqxx::transaction_base& transaction, const std::vector<run_id>& runs) {
  const auto suspects = ids_of(transaction.exec_prepared("find_contradicted", literal_of(runs)));
  if (suspects.empty())
    return {};
  return ids_of(transaction.exec_prepared("find_without_end", literal_of(suspects)));
}

std::vector<uint64_t>
read_sizes(pqxx::transaction_base& transaction, const std::vector<run_id>& runs, uint64_t bytes_max) {
  std::vector<uint64_t> sizes;
  if (runs.empty())
    return sizes;
  for (const auto& row : transaction.exec_prepared("measure_runs", literal_of(runs), bytes_max))
    sizes.push_back(row[0].as<uint64_t>());
  return sizes;
}

} // namespace levain
