#pragma once

#include <vector>

#include <pqxx/pqxx>

#include "persistence/run_stop.hpp"
#include "persistence/session.hpp"

namespace levain {

/// The statements behind the functions below and in `postgres_journal`: `find_row`, `find_open_rows`, `put_stops`,
/// `remove_stops`. `lock_epochs` is a batch's.
std::vector<named_statement> stop_statements();

/// Puts and removes rows of `stopped_runs`, inside a transaction that the caller commits. Changes under an epoch that
/// has passed are left out, by the same lock as a batch's.
void write_stop_changes(pqxx::transaction_base& transaction, const std::vector<stop_change>& changes);

/// Reads the answer of `find_row`.
row_outline read_row_outline(const pqxx::row& row);

} // namespace levain
