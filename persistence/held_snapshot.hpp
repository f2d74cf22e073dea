#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace levain {

/// A session that does nothing but keep the database as it was when this was made in sight: for as long as this lives,
/// no row version that has become obsolete since can be removed. What a forgotten report or a long backup does to a
/// server. One thread.
class held_snapshot {
public:
  /// Throws `journal_unavailable` (see journal.hpp).
  explicit held_snapshot(const std::string& url);
  ~held_snapshot();
  held_snapshot(const held_snapshot&) = delete;
  held_snapshot& operator=(const held_snapshot&) = delete;

  /// Rows of `orchestration_runs` in that sight. Throws `journal_unavailable`, also when the session was lost.
  uint64_t runs();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Removes the obsolete rows of runs and events, renews the planner's figures of them and writes everything that is
/// only in the server's memory to its files, so that what is measured next is not disturbed by what went before. Needs
/// a role that may do so. Throws `journal_unavailable` and `migration_error` (see migrator.hpp).
void settle_database(const std::string& url);

} // namespace levain
