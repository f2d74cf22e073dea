#pragma once

#include <vector>

#include "actors/messages.hpp"

// Starts that belong together: the continuation of `messages.hpp`. They stay inside the process.

namespace levain {

/// Start all of these, or none: only when this node has room for all of them at this moment. One tenant's.
struct start_runs {
  /// Each is told its own outcome when all are taken: durable, or refused by the database. At least one.
  std::vector<start_run> starts;
  /// Told why none is taken; then nobody else is told anything.
  receiver<start_refused> refused;
};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::start_runs)
