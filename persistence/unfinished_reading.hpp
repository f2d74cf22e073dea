#pragma once

#include <vector>

#include <pqxx/pqxx>

#include "persistence/journal.hpp"
#include "persistence/session.hpp"

namespace levain {

/// The statements that the two functions below need prepared, `read_events_of` among them.
std::vector<named_statement> unfinished_statements();

/// As `journal::list_unfinished`.
std::vector<run_id> list_unfinished(pqxx::transaction_base& transaction, const std::vector<shard_number>& shards);

/// As `journal::read_unfinished`.
std::vector<unfinished_run> read_unfinished(pqxx::transaction_base& transaction, const std::vector<run_id>& runs);

} // namespace levain
