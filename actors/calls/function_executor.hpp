#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actors/calls/call_executor.hpp"

namespace levain {

/// A C++ function that does steps: takes the call, answers JSON text or a failure. Runs on a thread of the executor,
/// several at a time. An exception is a failure that a later try may mend, with the exception's text.
using step_function = std::function<call_result(const call_request&)>;

/// Does `{"function": {"name": ...}}` calls on a few threads of its own.
class function_executor : public call_executor {
public:
  /// At least one thread.
  explicit function_executor(size_t threads);
  /// Waits for the functions that run; those that wait are answered `retryable`.
  ~function_executor() override;

  /// Makes `function` known as `name`, before the first run that needs it. Throws `std::invalid_argument` when the name
  /// is taken.
  void add(std::string name, step_function function);

  /// Calls the function named in the request. A name nobody added is a final failure. A function that runs cannot be
  /// given up.
  call_in_flight begin(call_request request, call_done done) override;
  /// A call that waits for a thread can be taken back.
  call_in_flight begin_told(call_request request, call_done done, call_told told) override;

private:
  struct call {
    uint64_t number;
    const step_function* function;
    call_request request;
    call_done done;
    call_told told;
  };
  /// What a call that is out may refer to when the executor is gone.
  struct line {
    std::mutex mutex;
    std::deque<call> waiting;
  };

  void work();
  static void withdraw(line& from, uint64_t number);

  const std::shared_ptr<line> line_ = std::make_shared<line>();
  std::condition_variable arrived_;
  std::map<std::string, step_function> functions_;
  uint64_t last_number_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace levain
