#pragma once

#include <chrono>
#include <filesystem>

#include "apps/client/exit_status.hpp"
#include "apps/terminal/screen.hpp"

namespace levain {

struct demo_options {
  /// Where the private PostgreSQL and the bakery keep what they know; a temporary one when empty.
  std::filesystem::path directory;
  /// Leaves a temporary directory where it is.
  bool keep = false;
  bool json = false;
  /// For the three runs to end.
  std::chrono::seconds wait_max{60};
};

/// Three bakeries, three endings, on a private PostgreSQL: starts everything in this process, runs the workflow
/// `daily_bakery` for each, shows the steps and the audit rows, verifies them. `done` only when the endings are
/// `completed`, `partial_success` and `failed` with everything undone, and nothing differs. Throws `command_failed`.
exit_status run_demo(const demo_options& options, const terminal::screen& out);

} // namespace levain
