#pragma once

#include <string>
#include <vector>

#include "apps/load/load_driver.hpp"

namespace levain::load {

/// Whose runs are to be proven.
struct proof_scope {
  std::string database_url;
  /// The load's own.
  std::vector<tenant_id> tenants;
  /// No run of the load was minted before.
  timestamp since{};
};

/// Compares what the callers were told with what the database holds: puts `lost`, `duplicates` and `audit_differences`
/// into `result`, and says in a sentence each what is wrong. With several tenants, the runs that others began meanwhile
/// are compared with their journals too. Throws `journal_unavailable`.
std::vector<std::string> prove_load(const proof_scope& scope, const driven_load& driven, load_result& result);

/// Why the newest failed run of these tenants failed; empty where none has. Throws `journal_unavailable`.
std::string failure_of_one(const proof_scope& scope);

/// The part that needs no database: what the callers were told by themselves.
void judge_by_callers(const driven_load& driven, load_result& result);

} // namespace levain::load
