#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "actors/worker/include/levain/worker.hpp"

namespace levain {

/// Of one line that a command prints on stderr; what is beyond is not looked at.
inline constexpr size_t command_line_bytes_max = 4000;
/// Of a failure's message: the last line, with as many of those before it as fit.
inline constexpr size_t command_message_bytes_max = 1024;
/// Lines of one command that go to the worker's log in a second; the others are counted.
inline constexpr size_t command_log_lines_max = 100;

/// What a command prints on stderr, line by line: `progress:` lines are heartbeats of the step, all others go to the
/// log with the step's key, and the last of them are the message if the command fails. One thread.
class command_errors {
public:
  explicit command_errors(worker_step& step);

  void take(std::string_view text);
  /// What the last lines said, as one line; empty when there were none. A line without an end counts too.
  std::string message();

private:
  void end_line();
  void keep(std::string line);
  void log(const std::string& line);
  void log_left_out();

  worker_step& step_;
  std::string line_;
  std::deque<std::string> last_lines_;
  size_t last_bytes_ = 0;
  std::chrono::steady_clock::time_point second_began_;
  size_t logged_ = 0;
  size_t left_out_ = 0;
};

} // namespace levain
