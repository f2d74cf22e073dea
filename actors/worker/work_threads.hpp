#pragma once

#include <functional>
#include <memory>

namespace levain {

/// Threads that run functions which may block: as many as are needed at once, made when they are. Any thread.
class work_threads {
public:
  work_threads();
  /// As `stop`.
  ~work_threads();
  work_threads(const work_threads&) = delete;
  work_threads& operator=(const work_threads&) = delete;

  /// Runs it at once, on a thread that has nothing to do or on a new one. It may throw nothing. Throws
  /// `std::system_error` when the system gives no more threads. Nothing happens after `stop`.
  void run(std::function<void()> work);

  /// Ends the threads that have nothing to do. Those that have are left alone with it: nobody can end a function.
  void stop();

private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

} // namespace levain
