#include "apps/program/signal_watch.hpp"

#include <csignal>
#include <spdlog/spdlog.h>

namespace levain {

namespace {

/// Wakes the watching thread when the watch ends; sent to that thread alone.
constexpr int wake_signal = SIGUSR1;

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGTERM, SIGINT, wake_signal})
    sigaddset(&signals, each);
  return signals;
}

/// Lets the signal do what it does to a program that does not watch.
void end_at_once(int number) {
  std::signal(number, SIG_DFL);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, number);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::raise(number);
}

} // namespace

signal_watch::signal_watch() {
  const auto signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
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
  const auto signals = watched_signals();
  for (;;) {
    int number = 0;
    sigwait(&signals, &number);
    std::lock_guard guard(mutex_);
    if (ending_)
      return;
    if (number == wake_signal)
      continue;
    if (asked_)
      end_at_once(number);
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
