#pragma once

#include <cstddef>

#include "apps/levaind/daemon_options.hpp"

namespace levain {

/// Lowers the limits of calls, kept connections, lookups of names, clients and workers so that all of them together
/// leave room in `allowed` open files for what the daemon cannot do without: its sessions at the database, its
/// listeners and its own files. Limits that fit already stay as they are. True when any was lowered.
bool fit_open_files(daemon_options& options, size_t allowed);

/// The open files that no limit may take: sessions at the database, listeners, logs, pipes, timers.
size_t open_files_reserved(const daemon_options& options);

} // namespace levain
