#include "actors/gateway/handler_threads.hpp"

#include <signal.h>
#include <utility>

namespace levain {

handler_threads::handler_threads(size_t threads, size_t waiting_max)
  : waiting_max_(waiting_max) {
  for (size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this] { serve(); });
}

handler_threads::~handler_threads() {
  stop();
}

bool handler_threads::run(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || waiting_.size() >= waiting_max_)
      return false;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void handler_threads::stop() {
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    dropped.swap(waiting_);
  }
  changed_.notify_all();
  for (auto& each : threads_)
    if (each.joinable())
      each.join();
}

void handler_threads::serve() {
  // Signals are for the program's own threads.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty())
        return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

} // namespace levain
