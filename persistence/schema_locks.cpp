#include "persistence/schema_locks.hpp"

#include <thread>

#include "persistence/migrator.hpp"
#include "persistence/schema_session.hpp"
#include "persistence/span_text.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

constexpr const char* limit_lock_wait = "select set_config('lock_timeout', $1, true)";

// Other roles' sessions tell their ids alone.
constexpr const char* find_holders = R"(
  select
    session.pid,
    coalesce(nullif(session.application_name, ''), 'unnamed'),
    coalesce(session.usename, 'unknown'),
    coalesce(session.state, 'unknown'),
    coalesce(floor(extract(epoch from clock_timestamp() - session.xact_start))::bigint, 0)
  from pg_stat_activity as session
  where session.pid <> pg_backend_pid()
    and exists (
      select
      from pg_locks as held
      where held.pid = session.pid
        and held.granted
        and held.relation = to_regclass($1)
    )
  order by session.xact_start
  limit 5)";

std::string holders_of(pqxx::connection& connection, const std::string& table) {
  pqxx::nontransaction session(connection, "find_holders");
  std::string names;
  for (const auto& row : session.exec_params(find_holders, table))
    names += (names.empty() ? "session " : "; session ") + row[0].as<std::string>() + " (" + row[1].as<std::string>() +
             ", user " + row[2].as<std::string>() + ", " + row[3].as<std::string>() + ", its transaction is open for " +
             row[4].as<std::string>() + " s)";
  return names.empty() ? "nobody any more" : names;
}

} // namespace

void change_schema(
  pqxx::connection& connection, const std::string& table, const lock_patience& patience,
  const std::function<void(pqxx::transaction_base&)>& work) {
  for (int tries = 1;; ++tries) {
    try {
      pqxx::work transaction(connection, "change_schema");
      // Another starter is waited for as long as the session allows; what follows is about tables that others use.
      lock_schema(transaction);
      transaction.exec_params(limit_lock_wait, std::to_string(patience.wait.count()));
      work(transaction);
      transaction.commit();
      return;
    } catch (const pqxx::sql_error& error) {
      if (error.sqlstate() != lock_not_available)
        throw;
      if (tries >= patience.tries_max)
        throw migration_error(
          "a lock was not to be had in " + std::to_string(tries) + " tries of " + span_text(patience.wait) +
          " each; nothing was changed. " + table + " is held by " + holders_of(connection, table) +
          ". End that transaction, or try again when it has ended");
    }
    std::this_thread::sleep_for(patience.pause);
  }
}

} // namespace levain
