#include "actors/calls/function_executor.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace levain {

namespace {

call_result call_guarded(const step_function& function, const call_request& request) {
  try {
    return function(request);
  } catch (const std::exception& error) {
    return call_failure{call_failure::kind_type::retryable, error.what(), std::nullopt};
  } catch (...) {
    return call_failure{
      call_failure::kind_type::retryable, "the function threw something that is not an exception", std::nullopt};
  }
}

} // namespace

function_executor::function_executor(size_t threads) {
  for (size_t i = 0; i < std::max<size_t>(threads, 1); ++i)
    threads_.emplace_back([this] { work(); });
}

function_executor::~function_executor() {
  std::deque<call> left;
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    left.swap(waiting_);
  }
  arrived_.notify_all();
  for (auto& each : left)
    each.done(call_failure{call_failure::kind_type::retryable, "the node is shutting down", std::nullopt});
  for (auto& each : threads_)
    each.join();
}

void function_executor::add(std::string name, step_function function) {
  std::lock_guard guard(mutex_);
  if (functions_.contains(name))
    throw std::invalid_argument(fmt::format("function '{}' is registered already", name));
  functions_.emplace(std::move(name), std::move(function));
}

call_in_flight function_executor::begin(call_request request, call_done done) {
  const auto& name = std::get<function_call>(request.call).name;
  std::unique_lock guard(mutex_);
  auto found = functions_.find(name);
  if (found == functions_.end()) {
    guard.unlock();
    done(call_failure{
      call_failure::kind_type::final, fmt::format("no function named '{}' is registered in this program", name),
      std::nullopt});
    return {};
  }
  waiting_.push_back(call{&found->second, std::move(request), std::move(done)});
  guard.unlock();
  arrived_.notify_one();
  return {};
}

void function_executor::work() {
  for (;;) {
    std::unique_lock guard(mutex_);
    arrived_.wait(guard, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty())
      return;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    guard.unlock();
    next.done(call_guarded(*next.function, next.request));
  }
}

} // namespace levain
