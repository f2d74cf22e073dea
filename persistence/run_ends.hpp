#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persistence/ids.hpp"

namespace levain {

/// How many runs have how many ends.
struct run_ends {
  uint64_t runs = 0;
  /// Runs whose journal has no terminal event.
  uint64_t without = 0;
  /// Runs whose journal has more than one.
  uint64_t several = 0;
  bool operator==(const run_ends&) const = default;
};

/// Counts the terminal events of these tenants' runs that were minted at `since` or later, by SQL alone: no journal is
/// folded. A run that was retried by hand has several. Throws `journal_unavailable` (see journal.hpp). Any thread.
run_ends count_run_ends(const std::string& url, const std::vector<tenant_id>& tenants, timestamp since);

} // namespace levain
