#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "actors/worker/include/levain/worker.hpp"
#include "apps/worker/command_errors.hpp"
#include "apps/worker/command_supervisor.hpp"

namespace levain {

/// Of what a command prints on stdout; a command that prints more is ended and has failed for good.
inline constexpr size_t command_output_bytes_max = 16 * 1024 * 1024;
/// A program and its arguments; nothing of a shell.
using command_words = std::vector<std::string>;

/// Cuts `./script --fast 'a b'` at its blanks, quotes kept together. Nothing when there is no word.
std::optional<command_words> parse_command(const std::string& text);

/// Why this program cannot be started here, a sentence; nothing when it can.
std::optional<std::string> why_not_runnable(const command_words& command);

/// Does a step by running a command to its end: the step as JSON on its stdin, its result as JSON on its stdout, what
/// it has to say on its stderr (`command_errors.hpp`). Exit status 0 is success; otherwise the status decides whether a
/// later attempt may mend the failure (`command_status.hpp`). When the step is cancelled or past its deadline, and when
/// the command has ended and left processes behind, these get SIGTERM, and SIGKILL `command_end_grace` later; it
/// returns when nothing of the command runs any more. `passed_variables` as in `command_environment.hpp`. Blocks.
worker_result
run_command(const command_words& command, worker_step& step, const std::vector<std::string>& passed_variables = {});

/// What is written to the command's stdin.
std::string command_input(const worker_step& step);

} // namespace levain
