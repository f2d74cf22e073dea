#pragma once

#include <string>
#include <vector>

#include "apps/load/http_target.hpp"
#include "apps/load/load_driver.hpp"
#include "apps/load/node_target.hpp"

namespace levain::load {

/// What came of a load, and what its proof has to say.
struct loaded {
  load_result result;
  /// What is wrong, a sentence each; not more than a few.
  std::vector<std::string> complaints;
  /// Why one of the runs that failed did; empty where none failed, or where that is not known from here.
  std::string failure;
};

/// Loads a node in this process, on the database at `database_url` (migrated), and stops it. May be called many times
/// in one process and on one database, one after the other; every load has tenants of its own. What the engine costs
/// includes the harness. Throws `command_failed`, and `journal_unavailable`.
loaded load_node(
  const load_options& options, const node_options& node, const std::string& database_url, const load_watch& watch = {});

/// Loads running daemons. `database_url`, that of theirs, is for what it costs and for the proof; empty: both are left
/// out as far as they need it. Throws as above.
loaded load_daemons(
  const load_options& options, const daemon_options_of_load& daemons, const std::string& database_url,
  const load_watch& watch = {});

} // namespace levain::load
