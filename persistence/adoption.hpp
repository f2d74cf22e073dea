#pragma once

#include <string>

#include <pqxx/pqxx>

#include "persistence/migrations.hpp"

namespace levain {

/// How a database that has no record of our migrations stands to the first of them.
enum class adoption_case : uint8_t {
  /// There is no `orchestration_runs`: nothing to adopt.
  nothing_there,
  /// The table is what 001 makes: it is taken as it is.
  complete,
  /// Only the six `ai_insights_*` columns are missing: the older of the two fragments that built such databases.
  first_fragment,
};

/// Compares the schema with what `initial` makes. Throws `migration_error` with every difference when the table is
/// there but is neither complete nor the first fragment.
adoption_case assess_adoption(pqxx::connection& connection, const embedded_migration& initial);

/// Adds the columns that the first fragment lacks, inside `transaction`.
void complete_first_fragment(pqxx::transaction_base& transaction);

} // namespace levain
