#include "actors/calls/leased_calls.hpp"

#include <utility>

namespace levain {

lease_watch::lease_watch(std::chrono::nanoseconds lease, std::function<time()> now)
  : lease_(lease)
  , now_(std::move(now)) {}

void lease_watch::asking() {
  const std::lock_guard lock(mutex_);
  asked_at_ = now_();
}

void lease_watch::answered() {
  std::map<uint64_t, std::function<void()>> going;
  {
    const std::lock_guard lock(mutex_);
    held_from_ = std::exchange(asked_at_, std::nullopt);
    if (held_from_ && now_() - *held_from_ < lease_)
      going.swap(waiting_);
  }
  for (const auto& [number, go_on] : going)
    go_on();
}

void lease_watch::began_anew() {
  std::map<uint64_t, std::function<void()>> gone;
  const std::lock_guard lock(mutex_);
  held_from_.reset();
  gone.swap(waiting_);
}

bool lease_watch::holds() const {
  const std::lock_guard lock(mutex_);
  return held_from_ && now_() - *held_from_ < lease_;
}

uint64_t lease_watch::wait(std::function<void()> go_on) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(++last_number_, std::move(go_on));
  return last_number_;
}

void lease_watch::forget(uint64_t number) {
  // What it holds goes without the lock.
  std::function<void()> gone;
  const std::lock_guard lock(mutex_);
  if (const auto found = waiting_.find(number); found != waiting_.end()) {
    gone = std::move(found->second);
    waiting_.erase(found);
  }
}

namespace {

/// A call that waits for the lease, and what it is afterwards.
struct held_call {
  std::mutex mutex;
  /// Absent once it was begun or is gone.
  std::optional<call_request> request;
  call_done done;
  call_told told;
  call_in_flight begun;
  bool is_begun = false;
  std::optional<let_go_reason> given_up;
  /// It was asked for between the beginning and the handle.
  std::optional<withdraw_reason> asked_back;
};

void begin_held(held_call& held, call_executor& calls) {
  call_request request;
  {
    const std::lock_guard lock(held.mutex);
    if (!held.request)
      return;
    request = std::move(*held.request);
    held.request.reset();
  }
  auto begun = calls.begin_told(std::move(request), std::move(held.done), std::move(held.told));
  const std::unique_lock lock(held.mutex);
  held.is_begun = true;
  if (held.given_up) {
    begun.give_up(*held.given_up);
    return;
  }
  held.begun = std::move(begun);
  if (held.asked_back)
    held.begun.withdraw(*held.asked_back);
}

void give_up_held(held_call& held, let_go_reason why) {
  call_in_flight begun;
  const std::lock_guard lock(held.mutex);
  held.request.reset();
  held.given_up = why;
  begun = std::move(held.begun);
  begun.give_up(why);
}

void withdraw_held(held_call& held, withdraw_reason why) {
  call_done done;
  {
    const std::lock_guard lock(held.mutex);
    if (held.is_begun)
      return held.begun.withdraw(why);
    if (!held.request) {
      held.asked_back = why;
      return;
    }
    held.request.reset();
    done = std::move(held.done);
  }
  done(call_failure{call_failure::kind_type::withdrawn, "it waited for the node's lease", std::nullopt});
}

} // namespace

call_in_flight leased_calls::begin_told(call_request request, call_done done, call_told told) {
  if (lease_->holds())
    return calls_->begin_told(std::move(request), std::move(done), std::move(told));
  if (told)
    told({call_news::kind_type::waits});
  const auto held = std::make_shared<held_call>();
  held->request = std::move(request);
  held->done = std::move(done);
  held->told = std::move(told);
  const auto number = lease_->wait([held, calls = calls_] { begin_held(*held, *calls); });
  return call_in_flight(
    [held, lease = lease_, number](let_go_reason why) {
      lease->forget(number);
      give_up_held(*held, why);
    },
    [held](withdraw_reason why) { withdraw_held(*held, why); });
}

} // namespace levain
