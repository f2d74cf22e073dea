#pragma once

#include <string>
#include <vector>

#include <pqxx/pqxx>

namespace levain {

/// What is known of the times of a table that is about to be adopted.
struct old_times {
  /// There is a row.
  bool has_rows = false;
  /// Its `timestamp without time zone` columns, of the documented ones.
  std::vector<std::string> columns;
  /// The zones other than UTC in which sessions of this database begin: this role's, and what is set for the database
  /// or a role.
  std::vector<std::string> zones;

  /// Only a person knows in which zone the times were written.
  bool has_to_be_asked() const { return has_rows && !columns.empty() && !zones.empty(); }
};

old_times read_old_times(pqxx::transaction_base& transaction);

/// Throws `migration_error` with what to say.
[[noreturn]] void ask_for_zone(const old_times& found);

/// Throws `migration_error` when the server knows no such zone. Abbreviations are none: they have no summer time.
void expect_zone(pqxx::transaction_base& transaction, const std::string& zone);

/// Moves the times of all rows from `zone` to UTC. A time that a change of the clock made twice is taken as standard
/// time. Returns how many rows there are.
int64_t move_times_to_utc(pqxx::transaction_base& transaction, const old_times& found, const std::string& zone);

} // namespace levain
