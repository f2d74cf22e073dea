#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "persistence/file_descriptor.hpp"

namespace levain {

/// An account of this machine, with everything needed to become it.
struct unix_user {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

/// The account of that name; nothing when there is none.
std::optional<unix_user> find_unix_user(const std::string& name);

struct spawn_options {
  /// The first one is the absolute path of the program.
  std::vector<std::string> arguments;
  /// Become this account first (needs root); nothing: stay who we are.
  std::optional<unix_user> user;
  /// Standard input; -1: /dev/null.
  int input = -1;
  /// Standard output and error; -1: /dev/null.
  int output = -1;
};

/// Starts a program in a session of its own (signals of our terminal do not reach it), with no other open file of ours,
/// no blocked signal, the C locale, and neither libpq's environment variables nor ours (`LEVAIN_...`). Returns its
/// process id; a program that cannot be executed ends with status 127. Throws `std::system_error` when no process can
/// be made. Safe in a program with threads.
pid_t spawn(const spawn_options& options);

/// Waits for a child of ours. Returns its wait status, or nothing when it still runs after `limit`.
std::optional<int> wait_for_end(pid_t child, std::chrono::milliseconds limit);

struct finished_program {
  int status = 0;
  std::string output;
};
/// Runs a program to its end and returns what it printed (output and errors).
finished_program run_program(std::vector<std::string> arguments, std::optional<unix_user> user = std::nullopt);

/// The first of `directories` that `user` may not enter; nothing when it may enter all of them. Needs root.
std::optional<std::string> first_forbidden(const std::vector<std::string>& directories, const unix_user& user);

} // namespace levain
