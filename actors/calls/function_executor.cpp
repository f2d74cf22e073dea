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
    std::lock_guard guard(line_->mutex);
    stopping_ = true;
    left.swap(line_->waiting);
  }
  arrived_.notify_all();
  for (auto& each : left)
    each.done(call_failure{call_failure::kind_type::retryable, "the node is shutting down", std::nullopt});
  for (auto& each : threads_)
    each.join();
}

void function_executor::add(std::string name, step_function function) {
  std::lock_guard guard(line_->mutex);
  if (functions_.contains(name))
    throw std::invalid_argument(fmt::format("function '{}' is registered already", name));
  functions_.emplace(std::move(name), std::move(function));
}

call_in_flight function_executor::begin(call_request request, call_done done) {
  return begin_told(std::move(request), std::move(done), nullptr);
}

call_in_flight function_executor::begin_told(call_request request, call_done done, call_told told) {
  const auto& name = std::get<function_call>(request.call).name;
  std::unique_lock guard(line_->mutex);
  auto found = functions_.find(name);
  if (found == functions_.end()) {
    guard.unlock();
    done(call_failure{
      call_failure::kind_type::final, fmt::format("no function named '{}' is registered in this program", name),
      std::nullopt});
    return {};
  }
  const auto number = ++last_number_;
  line_->waiting.push_back(call{number, &found->second, std::move(request), std::move(done), std::move(told)});
  guard.unlock();
  arrived_.notify_one();
  return call_in_flight(
    [](let_go_reason) {},
    [from = std::weak_ptr(line_), number](withdraw_reason) {
      if (const auto still = from.lock())
        withdraw(*still, number);
    });
}

void function_executor::withdraw(line& from, uint64_t number) {
  call_done done;
  {
    std::lock_guard guard(from.mutex);
    const auto found =
      std::find_if(from.waiting.begin(), from.waiting.end(), [&](const call& each) { return each.number == number; });
    if (found == from.waiting.end())
      return;
    done = std::move(found->done);
    from.waiting.erase(found);
  }
  done(call_failure{call_failure::kind_type::withdrawn, "it waited for a thread", std::nullopt});
}

void function_executor::work() {
  for (;;) {
    std::unique_lock guard(line_->mutex);
    arrived_.wait(guard, [this] { return stopping_ || !line_->waiting.empty(); });
    if (line_->waiting.empty())
      return;
    auto next = std::move(line_->waiting.front());
    line_->waiting.pop_front();
    guard.unlock();
    if (next.told)
      next.told({call_news::kind_type::in_flight});
    next.done(call_guarded(*next.function, next.request));
  }
}

} // namespace levain
