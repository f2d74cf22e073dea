#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace levain {

/// A few threads for requests that take long to read, so that the I/O thread serves the others meanwhile.
class handler_threads {
public:
  /// `threads` and `waiting_max` are at least 1.
  handler_threads(size_t threads, size_t waiting_max);
  /// Stops as `stop` does.
  ~handler_threads();
  handler_threads(const handler_threads&) = delete;
  handler_threads& operator=(const handler_threads&) = delete;

  /// Runs `work` on one of the threads. False, and `work` is dropped, when `waiting_max` wait already or the threads
  /// have ended. `work` does not throw. Any thread.
  bool run(std::function<void()> work);

  /// Waits for what is under way and drops what waits. Idempotent; not from one of the threads.
  void stop();

private:
  void serve();

  const size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

} // namespace levain
