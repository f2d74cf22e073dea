#include "persistence/unfinished_reading.hpp"

#include <unordered_map>

#include "persistence/array_literal.hpp"
#include "persistence/event_columns.hpp"

namespace levain {

namespace {

// By the index on status: walking all rows in the order of their ids would read years of ended runs. The last byte of
// an id folds into its shard.
constexpr const char* list_unfinished_runs = R"(
  select id
  from orchestration_runs as run
  where status in ('pending', 'running')
    and (get_byte(uuid_send(id), 15) & 63) = any($1::integer[])
    and (workflow is not null or exists (select from run_events where run_events.run_id = run.id))
  order by id)";

// By the ids alone first: who takes the index on status beside them reads all open rows once for every page.
constexpr const char* find_still_unfinished = R"(
  with asked as materialized (
    select id, status, workflow, updated_at
    from orchestration_runs
    where id = any($1::uuid[])
  )
  select id, exists (select from stopped_runs where stopped_runs.run_id = asked.id), updated_at, status
  from asked
  where status in ('pending', 'running')
    and (workflow is not null or exists (select from run_events where run_events.run_id = asked.id)))";

constexpr const char* read_events_of = R"(
  select run_id, seq, at, kind, step, attempt, body
  from run_events
  where run_id = any($1::uuid[])
  order by run_id, seq)";

static_assert(shard_count == 64, "the statement folds ids by 63");

std::string literal_of(const std::vector<run_id>& runs) {
  array_literal ids;
  for (const auto& run : runs)
    ids.id(run.value);
  return ids.take();
}

} // namespace

std::vector<named_statement> unfinished_statements() {
  return {
    {"list_unfinished_runs", list_unfinished_runs},
    {"find_still_unfinished", find_still_unfinished},
    {"read_events_of", read_events_of},
  };
}

std::vector<run_id> list_unfinished(pqxx::transaction_base& transaction, const std::vector<shard_number>& shards) {
  array_literal wanted;
  for (const shard_number shard : shards)
    wanted.number(shard);
  const auto rows = transaction.exec_prepared("list_unfinished_runs", wanted.take());
  std::vector<run_id> runs;
  runs.reserve(static_cast<size_t>(rows.size()));
  for (const auto& row : rows)
    runs.push_back(run_id{read_uuid(row[0])});
  return runs;
}

std::vector<unfinished_run> read_unfinished(pqxx::transaction_base& transaction, const std::vector<run_id>& runs) {
  std::unordered_map<run_id, unfinished_run> open;
  for (const auto& row : transaction.exec_prepared("find_still_unfinished", literal_of(runs))) {
    const run_id id{read_uuid(row[0])};
    open.emplace(
      id, unfinished_run{
            id,
            {},
            {},
            row[1].as<bool>(),
            parse_timestamp(row[2].c_str()),
            parse_run_status(row[3].c_str()).value_or(run_status::pending)});
  }
  std::vector<unfinished_run> found;
  std::unordered_map<run_id, size_t> places;
  std::vector<run_id> still;
  for (const auto& run : runs) {
    const auto known = open.find(run);
    if (known == open.end() || !places.emplace(run, found.size()).second)
      continue;
    found.push_back(std::move(known->second));
    still.push_back(run);
  }
  if (still.empty())
    return found;
  for (const auto& row : transaction.exec_prepared("read_events_of", literal_of(still))) {
    auto& run = found[places.at(run_id{read_uuid(row[0])})];
    // What is wrong with one run's rows is that run's alone.
    if (run.damage.empty())
      if (auto fault = read_event_into(run.events, row))
        run.damage = std::move(*fault);
  }
  return found;
}

} // namespace levain
