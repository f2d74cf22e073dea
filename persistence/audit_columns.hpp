#pragma once

#include <string>

#include <pqxx/pqxx>

#include "persistence/audit_row.hpp"

namespace levain {

/// What `read_audit_row` wants, in its order, as a select list from `orchestration_runs`: its columns, and then why
/// nobody acts for the run.
const std::string& audit_columns();

/// How many columns of the table are in it.
size_t audit_column_count();

/// Reads a row of `orchestration_runs` from a result whose columns are `audit_columns()` from column `first` on. The
/// session runs in UTC. Throws `std::runtime_error` for a value that no audit row can have.
audit_row read_audit_row(const pqxx::row& row, int first = 0);

} // namespace levain
