#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "persistence/timestamp.hpp"

namespace levain {

/// The database cannot be brought to this program's schema; what() says why and lists every difference found.
class migration_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// What was (or, in a dry run, would be) done, a sentence each: `applied 002_journal`, `adopted 001_initial_schema:
/// ...`.
struct migration_report {
  std::vector<std::string> done;
  /// True when there was nothing to do.
  bool up_to_date = false;
  /// What a person should look at, a sentence each: every role may create objects in the schema.
  std::vector<std::string> noticed;
};

struct migration_status {
  std::string name;
  enum class state_type : uint8_t { applied, adopted, pending, edited, unknown } state = state_type::pending;
  timestamp applied_at{};
  std::string checksum;
};

/// Brings the database at `url` to the newest schema. `old_times_in` is the zone in which the times of a table that is
/// adopted were written: they are moved to UTC. It is needed where the table has rows and sessions of its database do
/// not begin in UTC. Throws `migration_error`, or `journal_unavailable` (see journal.hpp) when the database cannot be
/// reached.
migration_report migrate_up(const std::string& url, bool dry_run = false, const std::string& old_times_in = {});

/// For a program that leaves the schema as it is: throws as `migrate_up` does when the database's is newer than the
/// program, or was made by files that it does not have. What is pending is no matter.
void expect_known_schema(const std::string& url);

/// Every migration that this program or the database knows.
std::vector<migration_status> migration_statuses(const std::string& url);

/// Compares the database with what the migrations make: every difference, a line each; empty when there is none.
std::vector<std::string> verify_schema(const std::string& url);

} // namespace levain
