#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "actors/worker/include/levain/worker.hpp"

namespace levain {

/// Of what a command prints on stdout; a command that prints more is ended and has failed for good.
inline constexpr size_t command_output_bytes_max = 16 * 1024 * 1024;
/// Of one line that it prints on stderr; what is beyond is not looked at.
inline constexpr size_t command_line_bytes_max = 4000;
/// Between SIGTERM and SIGKILL for a command that nobody waits for any more.
inline constexpr std::chrono::milliseconds command_end_grace{2'000};
/// EX_TEMPFAIL of sysexits.h: a later attempt may mend it.
inline constexpr int command_status_retry = 75;

/// A program and its arguments; nothing of a shell.
using command_words = std::vector<std::string>;

/// Cuts `./script --fast 'a b'` at its blanks, quotes kept together. Nothing when there is no word.
std::optional<command_words> parse_command(const std::string& text);

/// Why this program cannot be started here, a sentence; nothing when it can.
std::optional<std::string> why_not_runnable(const command_words& command);

/// Does a step by running a command to its end: the step as JSON on its stdin, its result as JSON on its stdout. Exit
/// status 0 is success, 75 or a signal a failure that a later attempt may mend, anything else a final one. The last
/// line on stderr is the failure's message; a line `progress: words` is a heartbeat. When the step is cancelled or past
/// its deadline, the command's process group gets SIGTERM, and SIGKILL `command_end_grace` later. Blocks.
worker_result run_command(const command_words& command, worker_step& step);

/// What is written to the command's stdin.
std::string command_input(const worker_step& step);

} // namespace levain
