#include "persistence/schema_session.hpp"

#include "persistence/connection.hpp"
#include "persistence/journal.hpp"
#include "persistence/migrator.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

// Any number, as long as every program takes the same: "levain" in ASCII.
constexpr const char* take_schema_lock = "select pg_advisory_lock(x'6c657661696e'::bigint)";

constexpr std::string_view lock_not_available = "55P03";

} // namespace

void in_schema_session(
  const std::string& url, std::chrono::milliseconds lock_timeout, const std::function<void(pqxx::connection&)>& work) {
  connection_options options;
  options.url = url;
  options.application_name = "levain schema";
  options.statement_timeout = std::chrono::milliseconds(0);
  options.lock_timeout = lock_timeout;
  // Between two statements of a migration there is nothing but this program.
  options.idle_in_transaction_timeout = std::chrono::milliseconds(0);
  try {
    const auto connection = open_connection(options);
    work(*connection);
  } catch (const migration_error&) {
    throw;
  } catch (const journal_unavailable&) {
    throw;
  } catch (...) {
    const auto failure = classify_failure(std::current_exception());
    if (failure.connection_lost)
      throw journal_unavailable("cannot reach the database: " + failure.reason);
    if (failure.sqlstate == lock_not_available)
      throw migration_error(
        "others held a table for longer than " + std::to_string(lock_timeout.count()) +
        " ms; nothing was changed, try again when fewer runs are active: " + failure.reason);
    throw migration_error(failure.reason);
  }
}

void lock_schema(pqxx::connection& connection) {
  pqxx::nontransaction session(connection, "lock_schema");
  try {
    session.exec(take_schema_lock);
  } catch (const pqxx::sql_error& error) {
    if (error.sqlstate() == lock_not_available)
      throw migration_error("another program is changing this database's schema; wait until it has ended");
    throw;
  }
}

std::string current_schema(pqxx::transaction_base& transaction) {
  const auto schema = transaction.exec1("select current_schema()")[0];
  if (schema.is_null())
    throw migration_error(
      "no schema of the connection's search_path exists; create one, or connect with search_path=public");
  return schema.as<std::string>();
}

} // namespace levain
