#pragma once

#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "persistence/audit_row.hpp"

namespace levain {

/// A column whose value this program cannot read, as others may have written it.
struct damaged_column {
  std::string name;
  /// One line: `column completed_at: 'infinity' is not a time of the years 1 to 9999`.
  std::string message;
};

/// What `read_audit_row` wants, in its order, as a select list from `orchestration_runs`: its columns, and then why
/// nobody acts for the run.
const std::string& audit_columns();

/// The same with nulls for `forecast_data` and `run_metadata`, which the server then does not read: for lists.
const std::string& audit_columns_without_documents();

/// How many columns of the table are in it.
size_t audit_column_count();

/// Reads a row of `orchestration_runs` into `to`, from a result whose columns are `audit_columns()` from column `first`
/// on. The session runs in UTC. Every column is read by itself: returns those that cannot be, which `to` has as they
/// were. Never throws for a value.
std::vector<damaged_column> read_audit_row(const pqxx::row& row, audit_row& to, int first = 0);

} // namespace levain
