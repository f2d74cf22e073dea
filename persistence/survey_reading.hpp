#pragma once

#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "persistence/journal_survey.hpp"
#include "persistence/session.hpp"

namespace levain {

/// The statements that the functions below need prepared.
std::vector<named_statement> survey_statements();

/// As the members of `journal_survey`.
journal_survey::page read_survey(
  pqxx::transaction_base& transaction, const std::vector<shard_lease>& shards, const std::optional<run_id>& before,
  size_t events_max);
std::vector<run_id> read_contradicted(pqxx::transaction_base& transaction, const std::vector<run_id>& runs);
std::vector<uint64_t>
read_sizes(pqxx::transaction_base& transaction, const std::vector<run_id>& runs, uint64_t bytes_max);

} // namespace levain
