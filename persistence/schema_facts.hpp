#pragma once

#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "persistence/migrations.hpp"

namespace levain {

/// One thing a schema holds, as the database's catalog tells it.
struct schema_fact {
  /// What it is, unique in its schema: `column orchestration_runs.id`, `index ix_orchestration_runs_status`, `type
  /// ...`.
  std::string object;
  /// The table it belongs to; empty for types and functions.
  std::string table;
  /// How it is: `uuid not null default gen_random_uuid()`.
  std::string is;
  /// True when the engine can live with it although nobody asked for it: a column that need not be filled, an index
  /// that forbids nothing.
  bool harmless = false;
};

/// Everything in `schema` that migrations can make, tables first, columns in their order. The partitions of weeks are
/// left out: they come and go.
std::vector<schema_fact> read_schema_facts(pqxx::transaction_base& transaction, const std::string& schema);

/// What `migrations` make of an empty database, found by applying them in a schema of their own inside a transaction
/// that is rolled back. Needs the right to create a schema; throws `migration_error` without it.
std::vector<schema_fact>
expected_schema_facts(pqxx::connection& connection, const std::vector<embedded_migration>& migrations);

/// Every way in which `actual` differs from `expected`, a line each. Times with and without time zone are taken as
/// equal, because every session runs in UTC; so are defaults that give the same value. Additions that hinder nothing
/// and tables nobody asked for are passed over.
std::vector<std::string>
schema_differences(const std::vector<schema_fact>& expected, const std::vector<schema_fact>& actual);

/// The facts as text, one line each: `column orchestration_runs.id: uuid not null default gen_random_uuid()`.
std::string to_text(const std::vector<schema_fact>& facts);

} // namespace levain
