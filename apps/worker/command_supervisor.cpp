#include "apps/worker/command_supervisor.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/worker/process_tree.hpp"
#include "persistence/child_environment.hpp"
#include "persistence/file_descriptor.hpp"

namespace levain {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Between two rounds of SIGKILL: a process may have made another in between.
constexpr milliseconds kill_interval{50};
constexpr int status_not_started = 127;

/// The first bytes on the socket; the texts follow, each with a NUL at its end.
struct command_header {
  uint32_t words = 0;
  uint32_t variables = 0;
  uint64_t bytes = 0;
};

bool send_all(int to, const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const auto sent = send(to, at, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR)
      return false;
    if (sent > 0) {
      at += sent;
      size -= static_cast<size_t>(sent);
    }
  }
  return true;
}

bool receive_all(int from, void* data, size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const auto received = recv(from, at, size, 0);
    if (received == 0 || (received < 0 && errno != EINTR))
      return false;
    if (received > 0) {
      at += received;
      size -= static_cast<size_t>(received);
    }
  }
  return true;
}

struct command_texts {
  std::vector<std::string> words;
  std::vector<std::string> environment;
};

std::optional<command_texts> receive_command(int control) {
  command_header header;
  if (!receive_all(control, &header, sizeof header))
    return std::nullopt;
  std::string bytes(header.bytes, '\0');
  if (!receive_all(control, bytes.data(), bytes.size()))
    return std::nullopt;
  command_texts texts;
  size_t at = 0;
  for (uint32_t count = 0; count < header.words + header.variables; ++count) {
    const auto end = bytes.find('\0', at);
    if (end == std::string::npos)
      return std::nullopt;
    (count < header.words ? texts.words : texts.environment).push_back(bytes.substr(at, end - at));
    at = end + 1;
  }
  return texts;
}

/// In the child, up to exec: a group of its own, no signal blocked or ignored, its three streams and no other file. It
/// is killed when its supervisor is.
[[noreturn]] void become_command(
  const supervisor_descriptors& given, pid_t supervisor, int failure, char* const* words, char* const* variables) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor)
    _exit(status_not_started);
  dup2(given.input, STDIN_FILENO);
  dup2(given.output, STDOUT_FILENO);
  dup2(given.errors, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  for (int number = 1; number < NSIG; ++number)
    signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execvpe(words[0], words, variables);
  const int why = errno;
  (void)!write(failure, &why, sizeof why);
  _exit(status_not_started);
}

class supervisor {
public:
  explicit supervisor(const supervisor_descriptors& given)
    : given_(given)
    , self_(getpid()) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "levain-command");
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    child_ended_ = file_descriptor(signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  void run() {
    if (!start())
      return;
    while (reap()) {
      if (status_ && !asked_at_)
        terminate();
      if (asked_at_ && !killed_at_ && steady_clock::now() >= *asked_at_ + command_end_grace)
        killed_at_ = steady_clock::now();
      if (killed_at_) {
        if (kill_all() > 0 && steady_clock::now() >= *killed_at_ + command_kill_grace) {
          report(supervisor_report::kind_type::left, static_cast<int32_t>(processes_below(self_).size()));
          return;
        }
      }
      wait();
    }
  }

private:
  bool start() {
    auto texts = receive_command(given_.control);
    if (!texts || texts->words.empty())
      return false;
    const auto words = pointers_to(texts->words);
    const auto variables = pointers_to(texts->environment);
    auto failure = open_pipe();
    leader_ = fork();
    if (leader_ == 0)
      become_command(given_, self_, failure.write.number(), words.data(), variables.data());
    int why = errno;
    failure.write.close();
    for (const int each : {given_.input, given_.output, given_.errors})
      close(each);
    if (leader_ > 0) {
      setpgid(leader_, leader_);
      // The end of the pipe says that the program was found.
      const bool failed = read(failure.read.number(), &why, sizeof why) == static_cast<ssize_t>(sizeof why);
      if (!failed) {
        report(supervisor_report::kind_type::started, leader_);
        return true;
      }
    }
    report(supervisor_report::kind_type::not_started, why);
    return false;
  }

  /// Takes in what has ended. False when nothing is left below this process.
  bool reap() {
    for (;;) {
      int status = 0;
      const pid_t ended = waitpid(-1, &status, WNOHANG);
      if (ended < 0 && errno == EINTR)
        continue;
      if (ended <= 0)
        return ended == 0;
      if (ended == leader_) {
        status_ = status;
        report(supervisor_report::kind_type::ended, status);
      }
    }
  }

  void terminate() {
    asked_at_ = steady_clock::now();
    signal_all(SIGTERM);
  }

  size_t kill_all() { return signal_all(SIGKILL); }

  /// To the command's group, and to what has left the group. Answers how many processes there were.
  size_t signal_all(int number) {
    const auto all = processes_below(self_);
    const bool has_group =
      !status_ || std::any_of(all.begin(), all.end(), [this](const auto& each) { return each.group == leader_; });
    if (has_group)
      ::kill(-leader_, number);
    for (const auto& each : all)
      if (each.group != leader_)
        ::kill(each.pid, number);
    return std::max<size_t>(all.size(), has_group ? 1 : 0);
  }

  void wait() {
    pollfd looked_at[2] = {{control_open_ ? given_.control : -1, POLLIN, 0}, {child_ended_.number(), POLLIN, 0}};
    poll(looked_at, 2, wait_ms());
    signalfd_siginfo taken{};
    while (read(child_ended_.number(), &taken, sizeof taken) > 0) {
    }
    if (looked_at[0].revents != 0)
      take_orders();
  }

  int wait_ms() const {
    if (killed_at_)
      return static_cast<int>(kill_interval.count());
    if (!asked_at_)
      return -1;
    const auto left = std::chrono::ceil<milliseconds>(*asked_at_ + command_end_grace - steady_clock::now());
    return static_cast<int>(std::max<milliseconds::rep>(left.count(), 0));
  }

  void take_orders() {
    char order = 0;
    const auto size = recv(given_.control, &order, 1, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (size <= 0)
      control_open_ = false;
    if (size > 0 && order == static_cast<char>(supervisor_order::terminate)) {
      if (!asked_at_)
        terminate();
    } else if (!killed_at_) {
      killed_at_ = steady_clock::now();
      asked_at_ = killed_at_;
    }
  }

  void report(supervisor_report::kind_type kind, int32_t value) const {
    const supervisor_report all{kind, value};
    (void)!send(given_.control, &all, sizeof all, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  supervisor_descriptors given_;
  pid_t self_;
  pid_t leader_ = -1;
  file_descriptor child_ended_;
  bool control_open_ = true;
  std::optional<int> status_;
  std::optional<steady_clock::time_point> asked_at_;
  std::optional<steady_clock::time_point> killed_at_;
};

} // namespace

bool send_command(int control, const std::vector<std::string>& words, const std::vector<std::string>& environment) {
  std::string bytes;
  for (const auto* texts : {&words, &environment})
    for (const auto& each : *texts)
      bytes.append(each.c_str(), each.size() + 1);
  const command_header header{
    static_cast<uint32_t>(words.size()), static_cast<uint32_t>(environment.size()), bytes.size()};
  return send_all(control, &header, sizeof header) && send_all(control, bytes.data(), bytes.size());
}

void supervise_command(const supervisor_descriptors& given) {
  try {
    supervisor(given).run();
  } catch (const std::exception&) {
    // The end of the socket says it.
    _exit(1);
  }
  _exit(0);
}

} // namespace levain
