#include "tests/support/socket_gate.hpp"

#include <list>
#include <mutex>
#include <optional>
#include <poll.h>
#include <random>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tests/support/gate_passage.hpp"

namespace levain::test {

struct socket_gate::impl {
  impl(int listening, std::function<int()> to_server)
    : listener(listening)
    , connect(std::move(to_server)) {
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread = std::thread([this] { run(); });
  }

  ~impl() {
    tell([this] { ended = true; });
    thread.join();
    passages.clear();
    close(listener);
    close(wake);
  }

  /// Changes something and wakes the thread, which may wait by what was true before.
  template <class Change>
  void tell(Change&& change) {
    {
      const std::lock_guard lock(mutex);
      change();
    }
    const uint64_t one = 1;
    if (write(wake, &one, sizeof one) < 0)
      std::terminate();
  }

  void run() {
    std::vector<pollfd> waits;
    for (;;) {
      const int timeout = gather(waits);
      poll(waits.data(), waits.size(), timeout);
      const std::lock_guard lock(mutex);
      if (ended)
        return;
      uint64_t told = 0;
      if (waits[0].revents != 0 && read(wake, &told, sizeof told) < 0)
        std::terminate();
      const auto now = std::chrono::steady_clock::now();
      size_t place = 2;
      for (auto open = passages.begin(); open != passages.end(); place += 2)
        open = open->serve(waits[place], waits[place + 1], now, faults) ? std::next(open) : end(open);
      if (waits[1].revents != 0)
        let_in();
    }
  }

  /// What to wait for, and for how long at most in milliseconds.
  int gather(std::vector<pollfd>& waits) {
    const std::lock_guard lock(mutex);
    const auto now = std::chrono::steady_clock::now();
    std::optional<gate_passage::moment> first;
    waits = {{wake, POLLIN, 0}, {listener, POLLIN, 0}};
    for (const auto& open : passages) {
      const auto both = open.waits(now);
      waits.insert(waits.end(), both.begin(), both.end());
      if (const auto due = open.due(); due && *due > now && (!first || *due < *first))
        first = due;
    }
    if (!first)
      return -1;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*first - now).count());
  }

  std::list<gate_passage>::iterator end(std::list<gate_passage>::iterator open) {
    cut += open->cut() ? 1 : 0;
    return passages.erase(open);
  }

  void let_in() {
    const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0)
      return;
    if (is_shut) {
      close(client);
      return;
    }
    const int server = connect();
    if (server < 0) {
      close(client);
      return;
    }
    auto& passage = passages.emplace_back(client, server);
    if (const auto bytes = bytes_until_cut())
      passage.cut_after(*bytes);
  }

  std::optional<size_t> bytes_until_cut() {
    if (!cut_bytes_max)
      return std::nullopt;
    return std::uniform_int_distribution<size_t>(1, *cut_bytes_max)(random);
  }

  int listener = -1;
  std::function<int()> connect;
  int wake = -1;

  /// Guards everything below but the thread.
  std::mutex mutex;
  bool ended = false;
  bool is_shut = false;
  gate_faults faults;
  std::optional<size_t> cut_bytes_max;
  std::mt19937_64 random;
  std::list<gate_passage> passages;
  size_t cut = 0;
  std::thread thread;
};

socket_gate::socket_gate(int listener, std::function<int()> connect)
  : impl_(std::make_unique<impl>(listener, std::move(connect))) {}

socket_gate::~socket_gate() = default;

void socket_gate::lose_next_commit() {
  impl_->tell([this] { impl_->faults.lose_next_commit = true; });
}

void socket_gate::lose_next_answer(size_t bytes) {
  impl_->tell([this, bytes] { impl_->faults.next_answer_bytes = bytes; });
}

void socket_gate::delay(std::chrono::milliseconds span) {
  impl_->tell([this, span] { impl_->faults.delay = span; });
}

void socket_gate::cut_after(size_t bytes_max, uint64_t seed) {
  impl_->tell([this, bytes_max, seed] {
    impl_->cut_bytes_max = bytes_max;
    impl_->random.seed(seed);
    for (auto& open : impl_->passages)
      open.cut_after(*impl_->bytes_until_cut());
  });
}

void socket_gate::swallow() {
  impl_->tell([this] { impl_->faults.swallow = true; });
}

void socket_gate::shut() {
  impl_->tell([this] {
    impl_->is_shut = true;
    // Only shut down here: the thread still polls the descriptors and closes them.
    for (auto& open : impl_->passages)
      open.shut();
  });
}

void socket_gate::reopen() {
  impl_->tell([this] {
    impl_->is_shut = false;
    impl_->faults = {};
    impl_->cut_bytes_max.reset();
  });
}

size_t socket_gate::open_connections() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->passages.size();
}

size_t socket_gate::connections_cut() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->cut;
}

} // namespace levain::test
