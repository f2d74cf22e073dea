#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// The process that stands between a worker and one of its commands. It is the parent of the command and adopts whatever
// the command leaves behind (PR_SET_CHILD_SUBREAPER), in whatever process group or session; so it finds all of it, and
// has ended only when all of it has. It speaks with the worker over a socket, which the worker holds: when that closes,
// the worker is gone or has no interest any more.

namespace levain {

/// Between SIGTERM and SIGKILL for the processes of a command.
inline constexpr std::chrono::milliseconds command_end_grace{2'000};
/// For processes to be gone after SIGKILL; one that waits for a broken disk or belongs to another account is left.
inline constexpr std::chrono::milliseconds command_kill_grace{5'000};

/// What the worker sends, one byte each.
enum class supervisor_order : char {
  /// SIGTERM to all processes of the command, SIGKILL `command_end_grace` later. The end of the socket means SIGKILL.
  terminate = 'T',
  /// SIGKILL to all of them.
  kill = 'K',
};

/// What the supervisor sends. After the last one it ends, and the socket with it.
struct supervisor_report {
  enum class kind_type : int32_t {
    /// `value`: the command's process.
    started,
    /// `value`: errno. The last report.
    not_started,
    /// The command itself has ended; what it left behind is being ended. `value`: its wait status.
    ended,
    /// Processes that outlived `command_kill_grace`. `value`: their number. The last report.
    left,
  };
  kind_type kind = kind_type::started;
  int32_t value = 0;
};

/// The descriptors of a supervisor: its end of the socket, and the command's streams.
struct supervisor_descriptors {
  int control = -1;
  int input = -1;
  int output = -1;
  int errors = -1;
};

/// Sends what is to be run, `words` found by PATH, as the first thing on the worker's end of the socket. False when
/// there is no supervisor.
bool send_command(int control, const std::vector<std::string>& words, const std::vector<std::string>& environment);

/// What a supervisor does, from beginning to end, in a process of its own that has one thread. All signals are blocked.
[[noreturn]] void supervise_command(const supervisor_descriptors& given);

} // namespace levain
