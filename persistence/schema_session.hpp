#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <pqxx/pqxx>

namespace levain {

/// How long a change of the schema waits for a table that others hold, and for another starter to end its own changes.
inline constexpr std::chrono::milliseconds schema_lock_timeout{60'000};

/// Runs `work` on a session that may change the schema: no statement timeout, locks waited for no longer than
/// `lock_timeout`. Throws `journal_unavailable` when the database cannot be reached, `migration_error` with the
/// database's words for anything else it refuses, and what `work` throws itself.
void in_schema_session(
  const std::string& url, std::chrono::milliseconds lock_timeout, const std::function<void(pqxx::connection&)>& work);

/// Makes this session the only one that changes the schema until it ends. Throws `migration_error` when another one
/// does for longer than the session's lock timeout.
void lock_schema(pqxx::connection& connection);

/// The schema in which unqualified names are made: `public` unless the session's `search_path` says otherwise. Throws
/// `migration_error` when no schema of the `search_path` exists.
std::string current_schema(pqxx::transaction_base& transaction);

} // namespace levain
