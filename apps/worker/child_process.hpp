#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "persistence/file_descriptor.hpp"

namespace levain {

/// A command in a process group of its own below a supervisor (`command_supervisor.hpp`), with pipes for its three
/// streams that never block us. What of it still runs at the end of the scope, or when this program dies, is killed,
/// with all that it has begun. One thread.
class child_process {
public:
  /// Starts `words`, found by PATH, with `environment` and nothing else of ours. Throws `std::system_error` that names
  /// the program.
  child_process(const std::vector<std::string>& words, const std::vector<std::string>& environment);
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// Takes as much of `text` as fits now into its stdin; answers how much, all of it when nobody reads any more.
  size_t write(std::string_view text);
  void close_input() { input_.close(); }
  void close_output() { output_.close(); }
  bool wants_input() const { return static_cast<bool>(input_); }

  /// What it printed since the last time, at most some 64 KiB at once; nothing when there is nothing now.
  std::optional<std::string> read_output() { return read(output_); }
  std::optional<std::string> read_errors() { return read(errors_); }

  /// Waits until something can be read or written, its state has changed, or `limit_ms` is over.
  void wait(bool to_write, int limit_ms);
  /// The command's own wait status once it has ended. What it has begun may still run.
  std::optional<int> status() const { return status_; }
  /// True when nothing of it runs any more, or nothing more can be done about it (`left`).
  bool gone() const { return gone_; }
  /// Processes of it that SIGKILL did not end in time.
  int left() const { return left_; }

  /// SIGTERM to all of it, SIGKILL `command_end_grace` later. Once.
  void terminate();
  /// SIGKILL to all of it.
  void kill();

private:
  static std::optional<std::string> read(file_descriptor& from);
  void order(char what) const;
  void take_reports();
  std::optional<int> start(const std::vector<std::string>& words, const std::vector<std::string>& environment);
  std::optional<int> wait_for_start() const;

  file_descriptor input_;
  file_descriptor output_;
  file_descriptor errors_;
  /// Our end of the supervisor's socket.
  file_descriptor control_;
  std::optional<int> status_;
  bool gone_ = false;
  int left_ = 0;
};

} // namespace levain
