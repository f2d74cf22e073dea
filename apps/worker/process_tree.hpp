#pragma once

#include <sys/types.h>
#include <vector>

namespace levain {

/// A process as `/proc` shows it.
struct process_entry {
  pid_t pid = 0;
  pid_t parent = 0;
  /// Its process group.
  pid_t group = 0;
};

/// The processes below `root`: its children, their children and so on, without `root` and without those that have
/// ended. Empty when `/proc` cannot be read.
std::vector<process_entry> processes_below(pid_t root);

} // namespace levain
