#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace levain::test {

/// Asks `holds` again and again until it does or `limit` is over; answers whether it did. For conditions outside of
/// this program, which nobody tells us of.
bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds limit);

/// How a program is started.
struct program_options {
  /// The name of one of ours, such as `levaind`, in the folder that the build puts programs in; or the path of another.
  std::string program;
  std::vector<std::string> arguments = {};
  /// Added to the environment. Variables named `LEVAIN_...` of the test itself are left out.
  std::map<std::string, std::string> environment = {};
};

/// How a program ended.
struct program_end {
  /// The exit status; absent when a signal ended it.
  std::optional<int> status;
  /// The signal; absent when it ended by itself.
  std::optional<int> signal;
};

/// One of our programs as a process. It is killed and waited for at the end of its scope, and by the kernel if the test
/// itself is killed. For one thread, which has to live as long as the program.
class running_program {
public:
  /// Starts it. Throws `std::system_error` when that is impossible.
  explicit running_program(const program_options& options);
  ~running_program();
  running_program(const running_program&) = delete;
  running_program& operator=(const running_program&) = delete;

  pid_t pid() const { return pid_; }
  /// Sends a signal, unless it has ended.
  void send_signal(int number);
  /// Waits for the end. Nothing when it still runs after `limit`.
  std::optional<program_end> wait(std::chrono::milliseconds limit);
  /// `kill -9`, and waits until it is gone.
  void kill_and_wait();
  bool running();
  /// Bytes of its memory that are resident; 0 when it has ended.
  size_t memory() const;

  /// What it has printed so far.
  std::string output() const;
  /// What it has said on standard error so far.
  std::string errors() const;

private:
  temporary_folder folder_;
  pid_t pid_ = -1;
  std::optional<program_end> end_;
};

/// What a program that ended by itself said.
struct program_result {
  int status = 0;
  std::string output;
  std::string errors;
};

/// Runs a program to its end. Throws `std::runtime_error` when it has not ended by itself after `limit`.
program_result run_to_end(const program_options& options, std::chrono::milliseconds limit = std::chrono::seconds(30));

/// The folder that the build puts our programs in.
std::filesystem::path program_folder();

} // namespace levain::test
