#include "apps/program/signal_watch.hpp"

#include <csignal>
#include <spdlog/spdlog.h>

#include "actors/worker/ending_signals.hpp"

namespace levain {

namespace {

/// Wakes the watching thread when the watch ends; sent to that thread alone.
constexpr int wake_signal = SIGUSR1;

} // namespace

signal_watch::signal_watch() {
  signals_ = ending_signals();
  sigaddset(&signals_, wake_signal);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  // A client that went away is an error of that one write.
  std::signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { watch(); });
}

signal_watch::~signal_watch() {
  {
    std::lock_guard guard(mutex_);
    ending_ = true;
  }
  pthread_kill(thread_.native_handle(), wake_signal);
  thread_.join();
}

void signal_watch::watch() {
  for (;;) {
    int number = 0;
    sigwait(&signals_, &number);
    std::lock_guard guard(mutex_);
    if (ending_)
      return;
    if (number == wake_signal)
      continue;
    if (asked_)
      end_by_signal(number);
    spdlog::info("stop_asked signal={}", number);
    asked_ = true;
    changed_.notify_all();
  }
}

void signal_watch::fail(std::string reason) {
  std::lock_guard guard(mutex_);
  if (!asked_)
    failure_ = std::move(reason);
  asked_ = true;
  changed_.notify_all();
}

bool signal_watch::asked() const {
  std::lock_guard guard(mutex_);
  return asked_;
}

std::string signal_watch::wait() {
  std::unique_lock guard(mutex_);
  changed_.wait(guard, [this] { return asked_; });
  return failure_;
}

} // namespace levain
