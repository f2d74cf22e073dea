#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "actors/calls/call_executor.hpp"

namespace levain {

/// Whether the node's lease can still hold, as far as this process can tell without asking: since the last heartbeat
/// that was answered no lease's length has passed. A process that stood still finds out like this, before it hears from
/// the database that others have its shards. Any thread.
class lease_watch {
public:
  using time = std::chrono::steady_clock::time_point;

  lease_watch(std::chrono::nanoseconds lease, std::function<time()> now);

  /// A heartbeat is on its way.
  void asking();
  /// It was answered: the lease holds from when it was asked for. What waited goes on.
  void answered();
  /// The node is another one from now on: what waited is of no concern any more.
  void began_anew();

  bool holds() const;

  /// `go_on` is called once, when a heartbeat has been answered; never, when the node is another one before that.
  /// Answers a number for `forget`.
  uint64_t wait(std::function<void()> go_on);
  void forget(uint64_t number);

private:
  const std::chrono::nanoseconds lease_;
  const std::function<time()> now_;
  mutable std::mutex mutex_;
  std::optional<time> asked_at_;
  std::optional<time> held_from_;
  std::map<uint64_t, std::function<void()>> waiting_;
  uint64_t last_number_ = 0;
};

/// Begins calls only while the node's lease can still hold. What comes later waits until a heartbeat is answered: then
/// the run is still this node's, or it has left and the call with it.
class leased_calls : public call_executor {
public:
  leased_calls(std::shared_ptr<call_executor> calls, std::shared_ptr<lease_watch> lease)
    : calls_(std::move(calls))
    , lease_(std::move(lease)) {}

  call_in_flight begin(call_request request, call_done done) override {
    return begin_told(std::move(request), std::move(done), [](const call_news&) {});
  }
  call_in_flight begin_told(call_request request, call_done done, call_told told) override;

private:
  std::shared_ptr<call_executor> calls_;
  std::shared_ptr<lease_watch> lease_;
};

} // namespace levain
