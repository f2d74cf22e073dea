#include "apps/worker/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "persistence/child_environment.hpp"

namespace levain {

namespace {

constexpr size_t read_bytes = 64 * 1024;

void make_unblocking(const file_descriptor& end) {
  fcntl(end.number(), F_SETFL, fcntl(end.number(), F_GETFL) | O_NONBLOCK);
}

/// How a child begins: a group of its own, no signal blocked or ignored.
class spawn_attributes {
public:
  spawn_attributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~spawn_attributes() { posix_spawnattr_destroy(&attributes_); }
  spawn_attributes(const spawn_attributes&) = delete;
  spawn_attributes& operator=(const spawn_attributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

private:
  posix_spawnattr_t attributes_{};
};

/// Which descriptor becomes which stream. Everything else of ours is closed on exec.
class spawn_streams {
public:
  explicit spawn_streams(const std::array<int, 3>& streams) {
    posix_spawn_file_actions_init(&actions_);
    for (int stream = 0; stream < 3; ++stream)
      posix_spawn_file_actions_adddup2(&actions_, streams[static_cast<size_t>(stream)], stream);
    posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
  }
  ~spawn_streams() { posix_spawn_file_actions_destroy(&actions_); }
  spawn_streams(const spawn_streams&) = delete;
  spawn_streams& operator=(const spawn_streams&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
  posix_spawn_file_actions_t actions_{};
};

} // namespace

child_process::child_process(
  const std::vector<std::string>& words, const std::map<std::string, std::string>& environment) {
  auto input = open_pipe();
  auto output = open_pipe();
  auto errors = open_pipe();
  auto arguments = words;
  auto variables = child_environment(environment);
  const auto argument_pointers = pointers_to(arguments);
  const auto variable_pointers = pointers_to(variables);
  const spawn_attributes attributes;
  const spawn_streams streams({input.read.number(), output.write.number(), errors.write.number()});
  const int wrong = posix_spawnp(
    &pid_, argument_pointers[0], streams.get(), attributes.get(), argument_pointers.data(), variable_pointers.data());
  if (wrong != 0)
    throw std::system_error(wrong, std::generic_category(), "'" + words.front() + "' cannot be started");
  ending_ = file_descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  input_ = std::move(input.write);
  output_ = std::move(output.read);
  errors_ = std::move(errors.read);
  for (const auto* each : {&input_, &output_, &errors_})
    make_unblocking(*each);
}

child_process::~child_process() {
  if (pid_ < 0 || status())
    return;
  send_signal(SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

size_t child_process::write(std::string_view text) {
  const auto written = ::write(input_.number(), text.data(), text.size());
  if (written >= 0)
    return static_cast<size_t>(written);
  return errno == EAGAIN || errno == EINTR ? 0 : text.size();
}

std::optional<std::string> child_process::read(file_descriptor& from) {
  if (!from)
    return std::nullopt;
  std::string text(read_bytes, '\0');
  const auto size = ::read(from.number(), text.data(), text.size());
  if (size > 0) {
    text.resize(static_cast<size_t>(size));
    return text;
  }
  // At its end, a pipe would be ready for ever.
  if (size == 0 || (errno != EAGAIN && errno != EINTR))
    from.close();
  return std::nullopt;
}

void child_process::wait(bool to_write, int limit_ms) {
  std::array<pollfd, 4> looked_at{};
  nfds_t count = 0;
  const auto look_at = [&](const file_descriptor& end, short events) {
    if (end)
      looked_at[count++] = {end.number(), events, 0};
  };
  look_at(output_, POLLIN);
  look_at(errors_, POLLIN);
  look_at(ending_, POLLIN);
  if (to_write)
    look_at(input_, POLLOUT);
  poll(looked_at.data(), count, limit_ms);
}

std::optional<int> child_process::status() {
  int status = 0;
  if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_)
    status_ = status;
  return status_;
}

void child_process::send_signal(int number) const {
  ::kill(-pid_, number);
}

} // namespace levain
