#pragma once

#include <memory>

#include "actors/calls/call_executor.hpp"
#include "actors/calls/http_executor.hpp"

namespace levain {

/// Does `{"http": {...}}` calls. The executor keeps their deadlines.
class http_calls : public call_executor {
public:
  /// Throws as `http_executor` does.
  explicit http_calls(http_executor_options options = {})
    : executor_(std::make_shared<http_executor>(options)) {}

  call_in_flight begin(call_request request, call_done done) override {
    return begin_told(std::move(request), std::move(done), nullptr);
  }

  call_in_flight begin_told(call_request request, call_done done, call_told told) override {
    const auto ticket = executor_->begin(std::move(request), std::move(done), std::move(told));
    return call_in_flight(
      [executor = executor_, ticket](let_go_reason) { executor->abandon(ticket); },
      [executor = executor_, ticket](withdraw_reason) { executor->withdraw(ticket); });
  }

private:
  std::shared_ptr<http_executor> executor_;
};

} // namespace levain
