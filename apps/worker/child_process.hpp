#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "persistence/file_descriptor.hpp"

namespace levain {

/// A child in a process group of its own, with pipes for its three streams that never block us. Killed with its group
/// at the end of the scope if it still runs. One thread.
class child_process {
public:
  /// Starts `words`, found by PATH, with `environment` added to ours. Throws `std::system_error` that names the
  /// program.
  child_process(const std::vector<std::string>& words, const std::map<std::string, std::string>& environment);
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// Takes as much of `text` as fits now into its stdin; answers how much, all of it when nobody reads any more.
  size_t write(std::string_view text);
  void close_input() { input_.close(); }
  bool wants_input() const { return static_cast<bool>(input_); }

  /// What it printed since the last time, at most some 64 KiB at once; nothing when there is nothing now.
  std::optional<std::string> read_output() { return read(output_); }
  std::optional<std::string> read_errors() { return read(errors_); }

  /// Waits until something can be read or written, it has ended, or `limit_ms` is over.
  void wait(bool to_write, int limit_ms);
  /// Its wait status once it has ended.
  std::optional<int> status();
  /// To its whole group.
  void send_signal(int number) const;

private:
  static std::optional<std::string> read(file_descriptor& from);

  file_descriptor input_;
  file_descriptor output_;
  file_descriptor errors_;
  pid_t pid_ = -1;
  /// Readable when it has ended.
  file_descriptor ending_;
  std::optional<int> status_;
};

} // namespace levain
