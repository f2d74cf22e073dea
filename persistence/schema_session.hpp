#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <pqxx/pqxx>

namespace levain {

/// How long a change of the schema waits for a table that others hold, and for another starter to end its own changes.
inline constexpr std::chrono::milliseconds schema_lock_timeout{60'000};

/// How long all of a session that changes the schema may take; a migration may have to build an index of a large table.
/// The same for the upkeep of a daemon, which waits for it when it stops.
inline constexpr std::chrono::hours schema_time_max{4};
inline constexpr std::chrono::minutes upkeep_time_max{5};

/// Runs `work` on a session that may change the schema: statements take at most `time_max`, which is for all of `work`
/// as well, and wait for locks no longer than `lock_timeout`. Throws `journal_unavailable` when the database cannot be
/// reached, `migration_error` with the database's words for anything else it refuses, and what `work` throws itself.
void in_schema_session(
  const std::string& url, std::chrono::milliseconds lock_timeout, const std::function<void(pqxx::connection&)>& work,
  std::chrono::milliseconds time_max = schema_time_max);

/// Makes this transaction the only one that changes the schema until it ends: it locks the table of migrations, which
/// only who may write to it can do, or an advisory lock where there is no such table yet. Nothing of it outlives the
/// transaction. Throws `migration_error` that names who holds the lock when that takes longer than the session's lock
/// timeout.
void lock_schema(pqxx::transaction_base& transaction);

/// The schema in which unqualified names are made: `public` unless the session's `search_path` says otherwise. Throws
/// `migration_error` when no schema of the `search_path` exists.
std::string current_schema(pqxx::transaction_base& transaction);

} // namespace levain
