#include "persistence/adopted_runs.hpp"

#include <algorithm>

#include <pqxx/pqxx>

#include "persistence/event_columns.hpp"
#include "persistence/migrator.hpp"
#include "persistence/schema_session.hpp"

namespace levain {

namespace {

/// For rows that another program is changing.
constexpr std::chrono::milliseconds row_lock_timeout{5'000};

constexpr const char* migrations_table_exists = "select to_regclass('levain_migrations') is not null";

constexpr const char* find_adoption = R"(
  select applied_at
  from levain_migrations
  where adopted
  order by number
  limit 1)";

constexpr const char* count_open = R"(
  select count(*) filter (where status = 'pending'), count(*) filter (where status = 'running')
  from orchestration_runs as run
  where status in ('pending', 'running')
    and workflow is null
    and started_at < $1::timestamptz
    and not exists (select from run_events where run_events.run_id = run.id))";

// Their duration is not known. `updated_at` comes from the trigger.
constexpr const char* close_open = R"(
  update orchestration_runs as run
  set
    status = 'cancelled',
    completed_at = now(),
    error_message = 'closed by levain migrate close-adopted: the run was ' || status
      || ' when the table was adopted, and Levain does not go on with runs that it did not start'
  where status in ('pending', 'running')
    and workflow is null
    and started_at < $1::timestamptz
    and not exists (select from run_events where run_events.run_id = run.id))";

timestamp adoption_of(pqxx::transaction_base& transaction) {
  if (transaction.exec1(migrations_table_exists)[0].as<bool>())
    for (const auto& row : transaction.exec(find_adoption))
      return read_timestamp(row[0]);
  throw migration_error(
    "no table of another program was adopted here; levain migrate up adopts one, and nothing is to be closed before");
}

} // namespace

adopted_closing close_adopted_runs(const std::string& url, std::optional<timestamp> before, bool dry_run) {
  adopted_closing closing;
  in_schema_session(url, row_lock_timeout, [&](pqxx::connection& connection) {
    pqxx::transaction<pqxx::repeatable_read> transaction(connection, "close_adopted");
    closing.adopted_at = adoption_of(transaction);
    const auto until = to_rfc3339(std::min(before.value_or(closing.adopted_at), closing.adopted_at));
    const auto row = transaction.exec_params1(count_open, until);
    closing.pending = row[0].as<int64_t>();
    closing.running = row[1].as<int64_t>();
    if (dry_run)
      return;
    transaction.exec_params(close_open, until);
    transaction.commit();
  });
  return closing;
}

} // namespace levain
