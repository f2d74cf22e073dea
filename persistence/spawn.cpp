#include "persistence/spawn.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "persistence/child_environment.hpp"

namespace levain {

namespace {

constexpr auto poll_interval = std::chrono::milliseconds(5);
constexpr int status_not_executable = 127;

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// What would steer the server or a locale from outside; and what only this program is to know, such as the values of
/// variables: the server may belong to another account, whose processes all can read its environment.
bool is_kept_back(std::string_view name) {
  return name.starts_with("PG") || name.starts_with("LC_") || name.starts_with("LANG") || name.starts_with("LEVAIN_");
}

// From here to `end_in_child` code runs between fork and exec of a program that may have threads: system calls only, no
// memory.

bool become(const unix_user& user) {
  return setgroups(user.groups.size(), user.groups.data()) == 0 && setgid(user.gid) == 0 && setuid(user.uid) == 0;
}

[[noreturn]] void
execute_in_child(const spawn_options& options, int null_file, char* const* arguments, char* const* environment) {
  setsid();
  dup2(options.input >= 0 ? options.input : null_file, STDIN_FILENO);
  dup2(options.output >= 0 ? options.output : null_file, STDOUT_FILENO);
  dup2(STDOUT_FILENO, STDERR_FILENO);
  // A listening socket of ours in the hands of a server that outlives us would keep the port taken.
  close_range(STDERR_FILENO + 1, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD, SIGUSR1, SIGUSR2})
    signal(number, SIG_DFL);
  umask(077);
  if (chdir("/") != 0 || (options.user && !become(*options.user)))
    _exit(status_not_executable);
  execve(arguments[0], arguments, environment);
  _exit(status_not_executable);
}

} // namespace

std::optional<unix_user> find_unix_user(const std::string& name) {
  const passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr)
    return std::nullopt;
  unix_user user{name, entry->pw_uid, entry->pw_gid, {}};
  int count = 0;
  getgrouplist(name.c_str(), user.gid, nullptr, &count);
  user.groups.resize(static_cast<size_t>(count));
  if (getgrouplist(name.c_str(), user.gid, user.groups.data(), &count) < 0)
    user.groups = {user.gid};
  return user;
}

pid_t spawn(const spawn_options& options) {
  // All memory is taken before the fork.
  auto arguments = options.arguments;
  auto environment = child_environment({{"LC_ALL", "C"}}, is_kept_back);
  const auto argument_pointers = pointers_to(arguments);
  const auto environment_pointers = pointers_to(environment);
  const file_descriptor null_file(open("/dev/null", O_RDWR | O_CLOEXEC));
  const pid_t child = fork();
  if (child < 0)
    throw_errno("fork");
  if (child == 0)
    execute_in_child(options, null_file.number(), argument_pointers.data(), environment_pointers.data());
  return child;
}

std::optional<int> wait_for_end(pid_t child, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    int status = 0;
    const pid_t answer = waitpid(child, &status, WNOHANG);
    if (answer == child)
      return status;
    if (answer < 0 && errno == ECHILD)
      return 0; // Somebody else collected it: it has ended.
    if (std::chrono::steady_clock::now() >= deadline)
      return std::nullopt;
    std::this_thread::sleep_for(poll_interval);
  }
}

finished_program run_program(std::vector<std::string> arguments, std::optional<unix_user> user) {
  auto ends = open_pipe();
  const pid_t child = spawn({std::move(arguments), std::move(user), -1, ends.write.number()});
  ends.write.close();
  finished_program finished;
  char buffer[4096];
  for (;;) {
    const ssize_t size = read(ends.read.number(), buffer, sizeof buffer);
    if (size > 0)
      finished.output.append(buffer, static_cast<size_t>(size));
    else if (size == 0 || errno != EINTR)
      break;
  }
  while (waitpid(child, &finished.status, 0) < 0 && errno == EINTR) {
  }
  return finished;
}

std::optional<std::string> first_forbidden(const std::vector<std::string>& directories, const unix_user& user) {
  // Asked as that account rather than computed from mode bits, so that access lists count as well.
  const pid_t child = fork();
  if (child < 0)
    throw_errno("fork");
  if (child == 0) {
    if (!become(user))
      _exit(0);
    int number = 1;
    for (const auto& directory : directories) {
      if (access(directory.c_str(), X_OK) != 0)
        _exit(number);
      ++number;
    }
    _exit(0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const auto number = static_cast<size_t>(WIFEXITED(status) ? WEXITSTATUS(status) : 0);
  if (number == 0 || number > directories.size())
    return std::nullopt;
  return directories[number - 1];
}

} // namespace levain
