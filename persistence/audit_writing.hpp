#pragma once

#include <string>
#include <vector>

#include "persistence/audit_row.hpp"

namespace levain {

/// The columns that are written, in the order of the parameters, separated by commas.
const std::string& audit_column_names();

/// The statement that inserts many rows of `orchestration_runs`: one array parameter per column.
const std::string& insert_audit_rows_statement();

/// The same, passing over rows that are there already.
const std::string& restore_audit_rows_statement();

/// The statement that sets every column of many rows, found by their id, to what the parameters say.
const std::string& update_audit_rows_statement();

/// The parameters of these statements: an array literal per column.
std::vector<std::string> audit_rows_parameters(const std::vector<const audit_row*>& rows);

} // namespace levain
