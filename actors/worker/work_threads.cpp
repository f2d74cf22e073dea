#include "actors/worker/work_threads.hpp"

#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace levain {

struct work_threads::shared {
  struct one_thread {
    std::thread thread;
    bool busy = true;
  };

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> waiting;
  std::list<one_thread> threads;
  size_t idle = 0;
  bool ending = false;

  void work(one_thread& self) {
    std::unique_lock lock(mutex);
    for (;;) {
      while (!waiting.empty()) {
        auto next = std::move(waiting.front());
        waiting.pop_front();
        lock.unlock();
        next();
        next = nullptr;
        lock.lock();
      }
      if (ending)
        return;
      self.busy = false;
      ++idle;
      wake.wait(lock, [this] { return ending || !waiting.empty(); });
      --idle;
      self.busy = true;
      if (ending)
        return;
    }
  }
};

work_threads::work_threads()
  : shared_(std::make_shared<shared>()) {}

work_threads::~work_threads() {
  stop();
}

void work_threads::run(std::function<void()> work) {
  std::lock_guard lock(shared_->mutex);
  if (shared_->ending)
    return;
  shared_->waiting.push_back(std::move(work));
  if (shared_->idle >= shared_->waiting.size()) {
    shared_->wake.notify_one();
    return;
  }
  auto& made = shared_->threads.emplace_back();
  try {
    made.thread = std::thread([keep = shared_, &made] { keep->work(made); });
  } catch (const std::system_error&) {
    shared_->threads.pop_back();
    shared_->waiting.pop_back();
    throw;
  }
}

void work_threads::stop() {
  std::unique_lock lock(shared_->mutex);
  if (std::exchange(shared_->ending, true))
    return;
  shared_->waiting.clear();
  shared_->wake.notify_all();
  std::vector<std::thread> to_join;
  for (auto& each : shared_->threads)
    if (each.busy)
      each.thread.detach();
    else
      to_join.push_back(std::move(each.thread));
  lock.unlock();
  for (auto& each : to_join)
    each.join();
}

} // namespace levain
