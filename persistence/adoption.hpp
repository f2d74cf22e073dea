#pragma once

#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "persistence/migrations.hpp"

namespace levain {

/// How a database that has no record of our migrations stands to the first of them, and what adopting it takes.
struct adoption_plan {
  /// There is an `orchestration_runs`; false: nothing to adopt.
  bool found = false;
  /// What makes the table what 001 makes, none of which rewrites a row.
  std::vector<std::string> statements;
  /// How the table was found, for a sentence: `complete`, `without the ai_insights columns, which were added`.
  std::string state;
};

/// Compares the schema with what `initial` makes. Adopted are a complete table, the older fragment without the six
/// `ai_insights_*` columns, and both of these without defaults, as applications leave them that give every value
/// themselves: what is missing is added. Throws `migration_error` with every other difference and the SQL that mends
/// it, and when `orchestration_runs` stands in another schema of the search path.
adoption_plan assess_adoption(pqxx::connection& connection, const embedded_migration& initial);

/// What `levain migrate up` would find in a database without our record: one sentence, empty where there is no
/// `orchestration_runs`. Never throws `migration_error` for what it finds.
std::string describe_adoption(pqxx::connection& connection, const embedded_migration& initial);

} // namespace levain
