#include "persistence/answer_deadline.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace levain {

using steady = std::chrono::steady_clock;

struct answer_deadline::watched {
  /// The connection's own descriptor, by which a transaction finds its deadline; -1 while no time runs.
  int socket = -1;
  /// A descriptor of our own: libpq may close the other at any time, and its number may become another file's. Stands
  /// for the same socket while a time runs, and for nothing in between. Kept from the first time on, so that a
  /// connection that is in use needs no further descriptor.
  int own = -1;
  std::chrono::milliseconds limit{};
  steady::time_point due{};
  std::atomic<bool> expired = false;
};

/// All deadlines that run, and the thread that looks at them.
struct answer_deadline::watch {
  static watch& of_process() {
    static watch one;
    return one;
  }

  watch()
    : thread([this](const std::stop_token& stop) { run(stop); }) {}

  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      const auto now = steady::now();
      next.reset();
      for (watched* each : running) {
        if (each->expired)
          continue;
        if (each->due <= now) {
          each->expired = true;
          shutdown(each->own, SHUT_RDWR);
        } else if (!next || each->due < *next) {
          next = each->due;
        }
      }
      const auto seen = changes;
      const auto changed = [&] { return changes != seen; };
      if (next)
        wake.wait_until(lock, stop, *next, changed);
      else
        wake.wait(lock, stop, changed);
    }
  }

  void add(watched& one) {
    const std::lock_guard lock(mutex);
    running.push_back(&one);
    if (next && *next <= one.due)
      return; // The thread wakes early enough.
    ++changes;
    wake.notify_one();
  }

  void remove(watched& one) noexcept {
    const std::lock_guard lock(mutex);
    std::erase(running, &one);
  }

  void restart(int socket) noexcept {
    const std::lock_guard lock(mutex);
    // A later time needs no waking.
    for (watched* each : running)
      if (each->socket == socket)
        each->due = steady::now() + each->limit;
  }

  std::mutex mutex;
  std::condition_variable_any wake;
  std::vector<watched*> running;
  uint64_t changes = 0;
  /// What the thread sleeps towards.
  std::optional<steady::time_point> next;
  /// Last, so that it ends first.
  std::jthread thread;
};

namespace {

/// What descriptors stand for that wait for their next use; -1 while there is none.
int nothing() {
  static const int one = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return one;
}

/// Makes the descriptor `own` another name of `target`.
bool point(int own, int target) noexcept {
  int pointed = -1;
  do
    pointed = dup3(target, own, O_CLOEXEC);
  while (pointed < 0 && (errno == EINTR || errno == EBUSY));
  return pointed >= 0;
}

} // namespace

answer_deadline::answer_deadline()
  : watched_(std::make_unique<watched>()) {}

answer_deadline::~answer_deadline() {
  end();
  if (watched_->own >= 0)
    close(watched_->own);
}

void answer_deadline::begin(int socket, std::chrono::milliseconds limit) {
  end();
  watched_->expired = false;
  if (limit.count() <= 0 || socket < 0)
    return;
  if (watched_->own < 0)
    watched_->own = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  else if (!point(watched_->own, socket))
    throw pqxx::broken_connection("the connection has no descriptor: " + std::generic_category().message(errno));
  if (watched_->own < 0)
    throw pqxx::broken_connection(
      "no descriptor to watch the connection by: " + std::generic_category().message(errno));
  watched_->socket = socket;
  watched_->limit = limit;
  watched_->due = steady::now() + limit;
  watch::of_process().add(*watched_);
}

void answer_deadline::end() noexcept {
  if (watched_->socket < 0)
    return;
  watch::of_process().remove(*watched_);
  watched_->socket = -1;
  // The socket is libpq's alone again, which may close it.
  if (nothing() >= 0 && point(watched_->own, nothing()))
    return;
  close(watched_->own);
  watched_->own = -1;
}

bool answer_deadline::expired() const noexcept {
  return watched_->expired;
}

void answer_deadline::restart(const pqxx::transaction_base& transaction) noexcept {
  watch::of_process().restart(transaction.conn().sock());
}

} // namespace levain
