#pragma once

#include <condition_variable>
#include <mutex>

#include "persistence/timestamp.hpp"

namespace levain::load {

/// The time of a load, and how its driver waits. Tests have one of their own.
class load_clock {
public:
  virtual ~load_clock() = default;
  /// Since some fixed moment; never goes back.
  virtual duration now() const = 0;
  /// Waits until then, or until somebody calls `wake`.
  virtual void wait_until(duration then) = 0;
  /// Ends the wait that goes on, or the next one. Any thread.
  virtual void wake() = 0;
};

/// The machine's steady clock.
class steady_load_clock : public load_clock {
public:
  duration now() const override;
  void wait_until(duration then) override;
  void wake() override;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool awake_ = false;
};

} // namespace levain::load
