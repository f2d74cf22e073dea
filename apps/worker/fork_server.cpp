#include "apps/worker/fork_server.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <set>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "apps/worker/process_tree.hpp"

namespace levain {

namespace {

constexpr size_t descriptors_sent = 4;
using sent_descriptors = std::array<int, descriptors_sent>;

/// A message of one byte that carries the descriptors; unix(7), SCM_RIGHTS.
struct descriptor_message {
  explicit descriptor_message() {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = space.size();
  }

  char byte = 'C';
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(sent_descriptors))> space{};
  msghdr message{};
};

bool send_descriptors(int socket, const sent_descriptors& given) {
  descriptor_message out;
  auto* header = CMSG_FIRSTHDR(&out.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof given);
  std::memcpy(CMSG_DATA(header), given.data(), sizeof given);
  while (sendmsg(socket, &out.message, MSG_NOSIGNAL) < 0)
    if (errno != EINTR)
      return false;
  return true;
}

enum class received { descriptors, nothing, end };

received receive_descriptors(int socket, sent_descriptors& taken) {
  descriptor_message in;
  const auto size = recvmsg(socket, &in.message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0)
    return errno == EAGAIN || errno == EINTR ? received::nothing : received::end;
  if (size == 0)
    return received::end;
  const auto* header = CMSG_FIRSTHDR(&in.message);
  if (header == nullptr || header->cmsg_len != CMSG_LEN(sizeof taken))
    return received::nothing; // No descriptors were left for it; the worker sees the end of its socket.
  std::memcpy(taken.data(), CMSG_DATA(header), sizeof taken);
  return received::descriptors;
}

/// The server's process from its beginning to its end.
class serving {
public:
  explicit serving(int socket)
    : socket_(socket) {
    setsid();
    prctl(PR_SET_NAME, "levain-forks");
    // What a supervisor that was killed leaves behind comes here.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    keep_only_the_socket();
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    signal(SIGCHLD, SIG_DFL);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    child_ended_ = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  void run() {
    for (;;) {
      pollfd looked_at[2] = {{socket_, POLLIN, 0}, {child_ended_, POLLIN, 0}};
      poll(looked_at, 2, -1);
      reap();
      sent_descriptors taken{};
      const auto what = receive_descriptors(socket_, taken);
      if (what == received::end)
        return;
      if (what == received::descriptors)
        make_supervisor(taken);
    }
  }

private:
  /// Neither a listening socket nor standard error of the worker is to stay open for longer than the worker lives.
  void keep_only_the_socket() {
    const int null_file = open("/dev/null", O_RDWR);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      dup2(null_file, stream);
    constexpr int place = STDERR_FILENO + 1;
    if (socket_ != place) {
      dup2(socket_, place);
      socket_ = place;
    }
    close_range(place + 1, ~0U, 0);
  }

  void make_supervisor(const sent_descriptors& taken) {
    const pid_t made = fork();
    if (made == 0) {
      close(socket_);
      close(child_ended_);
      supervise_command({taken[0], taken[1], taken[2], taken[3]});
    }
    if (made > 0)
      supervisors_.insert(made);
    for (const int each : taken)
      close(each);
  }

  void reap() {
    signalfd_siginfo taken{};
    while (read(child_ended_, &taken, sizeof taken) > 0) {
    }
    bool killed = false;
    int status = 0;
    for (pid_t ended = waitpid(-1, &status, WNOHANG); ended > 0; ended = waitpid(-1, &status, WNOHANG))
      killed = (supervisors_.erase(ended) > 0 && WIFSIGNALED(status)) || killed;
    if (killed)
      kill_orphans();
  }

  void kill_orphans() const {
    const pid_t self = getpid();
    for (const auto& child : processes_below(self)) {
      if (child.parent != self || supervisors_.contains(child.pid))
        continue;
      for (const auto& each : processes_below(child.pid))
        kill(each.pid, SIGKILL);
      kill(child.pid, SIGKILL);
    }
  }

  int socket_;
  int child_ended_ = -1;
  std::set<pid_t> supervisors_;
};

[[noreturn]] void serve(int socket) {
  try {
    serving(socket).run();
  } catch (const std::exception&) {
    _exit(1);
  }
  _exit(0);
}

} // namespace

fork_server& fork_server::of_this_process() {
  static fork_server one;
  return one;
}

fork_server::fork_server() {
  start();
}

fork_server::~fork_server() {
  end();
}

void fork_server::start() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::system_error(errno, std::generic_category(), "the fork server's socket");
  socket_ = file_descriptor(ends[0]);
  const file_descriptor servers_end(ends[1]);
  pid_ = fork();
  if (pid_ < 0)
    throw std::system_error(errno, std::generic_category(), "the fork server");
  if (pid_ == 0)
    serve(servers_end.number());
}

void fork_server::end() {
  socket_.close();
  if (pid_ > 0)
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  pid_ = -1;
}

void fork_server::make_supervisor(const supervisor_descriptors& given) {
  const sent_descriptors all{given.control, given.input, given.output, given.errors};
  const std::lock_guard guard(mutex_);
  if (socket_ && send_descriptors(socket_.number(), all))
    return;
  // It has died: it never refuses.
  end();
  start();
  if (!send_descriptors(socket_.number(), all))
    throw std::system_error(errno, std::generic_category(), "the fork server");
}

} // namespace levain
