#include "persistence/schema_session.hpp"

#include "persistence/answer_deadline.hpp"
#include "persistence/connection.hpp"
#include "persistence/connection_string.hpp"
#include "persistence/journal.hpp"
#include "persistence/migrator.hpp"
#include "persistence/span_text.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

// Any number, as long as every program takes the same: "levain" in ASCII.
constexpr const char* take_advisory_lock = "select pg_advisory_xact_lock(x'6c657661696e'::bigint)";

/// Others who hold a lock in this database, of those that `which` is true of.
std::string holders_of(const std::string& which) {
  return R"(
  select a.pid, a.usename, a.application_name, coalesce(host(a.client_addr), 'this machine'), a.state
  from pg_locks l
  join pg_stat_activity a on a.pid = l.pid
  where l.granted
    and l.pid <> pg_backend_pid()
    and l.database = (select oid from pg_database where datname = current_database())
    and )" +
         which + R"(
  order by a.xact_start, a.pid)";
}

// The upper and the lower half of that number, as pg_locks has them.
const std::string find_advisory_holders = holders_of(R"(l.locktype = 'advisory'
    and l.classid = x'6c65'::int
    and l.objid = x'7661696e'::int
    and l.objsubid = 1)");

constexpr const char* migrations_table_exists = "select to_regclass('levain_migrations') is not null";

// The same for a transaction that has waited. Reading pg_class has the server take notice of what others committed
// meanwhile; until then `to_regclass` says what it said before.
constexpr const char* migrations_table_exists_now = R"(
  select count(*) > 0
  from pg_class
  where relname = 'levain_migrations'
    and pg_table_is_visible(oid))";

// Against itself and against other changes of the table, not against reading and writing its rows.
constexpr const char* lock_migrations_table = "lock table levain_migrations in share update exclusive mode";

const std::string find_table_holders = holders_of(R"(l.locktype = 'relation'
    and l.relation = to_regclass('levain_migrations')
    and l.mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock'))");

std::string holders_sentence(pqxx::transaction_base& transaction, const std::string& find_holders) {
  std::string holders;
  for (const auto& row : transaction.exec(find_holders))
    holders += (holders.empty() ? "process " : ", process ") + std::string(row[0].c_str()) + " of the server (user '" +
               row[1].c_str() + "', application '" + row[2].c_str() + "', from " + row[3].c_str() + ", " +
               row[4].c_str() + ")";
  return holders.empty() ? "it has ended just now, try again"
                         : "the lock is held by " + holders + "; wait until it has ended, or end it there";
}

/// Waits no longer than the session's lock timeout; then the transaction goes on to ask who holds the lock.
void take_or_name(pqxx::transaction_base& transaction, const char* take, const std::string& find_holders) {
  transaction.exec("savepoint schema_lock");
  try {
    // `exec` would end the transaction with what fails.
    transaction.exec_params(take);
    transaction.exec("release savepoint schema_lock");
  } catch (const pqxx::sql_error& error) {
    if (error.sqlstate() != lock_not_available)
      throw;
    transaction.exec("rollback to savepoint schema_lock");
    throw migration_error(
      "another program is changing this database's schema: " + holders_sentence(transaction, find_holders));
  }
}

} // namespace

void in_schema_session(
  const std::string& url, std::chrono::milliseconds lock_timeout, const std::function<void(pqxx::connection&)>& work,
  std::chrono::milliseconds time_max) {
  connection_options options;
  options.url = url;
  options.application_name = "levain schema";
  options.statement_timeout = time_max;
  options.lock_timeout = lock_timeout;
  // Between two statements of a migration there is nothing but this program.
  options.idle_in_transaction_timeout = std::chrono::milliseconds(0);
  try {
    const auto connection = open_connection(options);
    answer_deadline deadline;
    const answer_time waiting(deadline, connection->sock(), answer_timeout(options));
    work(*connection);
  } catch (const migration_error&) {
    throw;
  } catch (const journal_unavailable&) {
    throw;
  } catch (const unsuitable_database& refused) {
    throw migration_error(refused.what());
  } catch (...) {
    const auto failure = classify_failure(std::current_exception());
    if (failure.connection_lost)
      throw journal_unavailable(failure.reason);
    if (failure.sqlstate == lock_not_available)
      throw migration_error(
        "others held a table for longer than " + span_text(lock_timeout) +
        "; nothing was changed, try again when fewer runs are active: " + failure.reason);
    throw migration_error(failure.reason + steering_note(connection_string(url)));
  }
}

void lock_schema(pqxx::transaction_base& transaction) {
  bool exists = transaction.exec1(migrations_table_exists)[0].as<bool>();
  if (!exists) {
    take_or_name(transaction, take_advisory_lock, find_advisory_holders);
    // Another starter may have made it meanwhile.
    exists = transaction.exec1(migrations_table_exists_now)[0].as<bool>();
  }
  if (exists)
    take_or_name(transaction, lock_migrations_table, find_table_holders);
}

std::string current_schema(pqxx::transaction_base& transaction) {
  const auto schema = transaction.exec1("select current_schema()")[0];
  if (schema.is_null())
    throw migration_error(
      "no schema of the connection's search_path exists; create one, or connect with search_path=public");
  return schema.as<std::string>();
}

} // namespace levain
