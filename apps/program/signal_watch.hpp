#pragma once

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>

namespace levain {

/// Turns the signals that ask a program to end (`ending_signals`) into a wish to stop; the second one ends the process
/// at once (`end_by_signal`). Make it before any other thread, so that all of them leave the signals to it. One at a
/// time.
class signal_watch {
public:
  signal_watch();
  ~signal_watch();
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;

  /// Wishes the program to stop because something broke. The first reason counts. Any thread.
  void fail(std::string reason);

  /// True from the first signal or failure on.
  bool asked() const;

  /// Waits for the wish to stop. Answers why it failed; empty when a signal asked.
  std::string wait();

private:
  void watch();

  sigset_t signals_{};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
  bool ending_ = false;
  std::string failure_;
  std::thread thread_;
};

} // namespace levain
