#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "persistence/timestamp.hpp"

namespace levain {

/// Rows that another program left pending or running.
struct adopted_closing {
  int64_t pending = 0;
  int64_t running = 0;
  /// When the table was adopted.
  timestamp adopted_at{};
};

/// Closes as cancelled the rows that were pending or running when the table was adopted and that have neither a
/// workflow nor a journal; with `before`, only those that started before it. All in one transaction; in a dry run
/// they are only counted. Throws `migration_error` (see migrator.hpp) where no table was adopted, and
/// `journal_unavailable`.
adopted_closing close_adopted_runs(const std::string& url, std::optional<timestamp> before, bool dry_run);

} // namespace levain
