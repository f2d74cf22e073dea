#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <pqxx/pqxx>

namespace levain {

/// How a change of the schema waits for tables that others use. Who waits for a table makes everybody who wants it
/// afterwards wait too, so it waits briefly and tries again.
struct lock_patience {
  /// For a lock, in one try.
  std::chrono::milliseconds wait{2'000};
  /// Between two tries, in which others go on.
  std::chrono::milliseconds pause{1'000};
  int tries_max = 10;
};

/// Runs `work` in a transaction that alone changes the schema (`lock_schema`) and commits it; all of it again when a
/// lock on a table was not to be had in time. Throws
/// `migration_error` that names who holds `table` after the last try, and what `work` throws.
void change_schema(
  pqxx::connection& connection, const std::string& table, const lock_patience& patience,
  const std::function<void(pqxx::transaction_base&)>& work);

} // namespace levain
