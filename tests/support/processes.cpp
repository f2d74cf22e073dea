#include "tests/support/processes.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "persistence/child_environment.hpp"
#include "test_paths.hpp"

namespace levain::test {

namespace {

constexpr auto poll_interval = std::chrono::milliseconds(5);
constexpr int status_not_executable = 127;

/// What would configure our programs from outside.
bool configures(std::string_view name) {
  return name.starts_with("LEVAIN_");
}

int open_for_writing(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0)
    throw std::system_error(errno, std::generic_category(), path);
  return file;
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

program_end end_of(int status) {
  if (WIFSIGNALED(status))
    return {std::nullopt, WTERMSIG(status)};
  return {WEXITSTATUS(status), std::nullopt};
}

} // namespace

bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline)
      return false;
    std::this_thread::sleep_for(poll_interval);
  }
  return true;
}

std::filesystem::path program_folder() {
  return LEVAIN_BIN_DIR;
}

running_program::running_program(const program_options& options) {
  // All memory is taken before the fork: a test may have threads.
  auto words = options.arguments;
  words.insert(words.begin(), (program_folder() / options.program).string());
  auto environment = child_environment(options.environment, configures);
  const auto word_pointers = pointers_to(words);
  const auto environment_pointers = pointers_to(environment);
  const int output = open_for_writing(folder_ / "output");
  const int errors = open_for_writing(folder_ / "errors");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    // It must not outlive a test that is killed.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(status_not_executable);
    setpgid(0, 0);
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    execve(word_pointers[0], word_pointers.data(), environment_pointers.data());
    _exit(status_not_executable);
  }
  const int failure = errno;
  close(output);
  close(errors);
  if (pid_ < 0)
    throw std::system_error(failure, std::generic_category(), "fork");
}

running_program::~running_program() {
  kill_and_wait();
}

void running_program::send_signal(int number) {
  if (running())
    ::kill(pid_, number);
}

std::optional<program_end> running_program::wait(std::chrono::milliseconds limit) {
  eventually([this] { return !running(); }, limit);
  return end_;
}

void running_program::kill_and_wait() {
  if (!running())
    return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  end_ = end_of(status);
}

bool running_program::running() {
  int status = 0;
  if (!end_ && waitpid(pid_, &status, WNOHANG) == pid_)
    end_ = end_of(status);
  return !end_;
}

size_t running_program::memory() const {
  std::ifstream pages("/proc/" + std::to_string(pid_) + "/statm");
  size_t all = 0;
  size_t resident = 0;
  return pages >> all >> resident ? resident * static_cast<size_t>(sysconf(_SC_PAGESIZE)) : 0;
}

std::string running_program::output() const {
  return content(folder_ / "output");
}

std::string running_program::errors() const {
  return content(folder_ / "errors");
}

program_result run_to_end(const program_options& options, std::chrono::milliseconds limit) {
  running_program program(options);
  const auto end = program.wait(limit);
  if (!end || !end->status)
    throw std::runtime_error(
      options.program + (end ? " was ended by a signal" : " did not end") + "; it said: " + program.errors());
  return {*end->status, program.output(), program.errors()};
}

} // namespace levain::test
