#include "apps/load/load_clock.hpp"

namespace levain::load {

duration steady_load_clock::now() const {
  return std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch());
}

void steady_load_clock::wait_until(duration then) {
  std::unique_lock guard(mutex_);
  changed_.wait_until(guard, std::chrono::steady_clock::time_point(then), [this] { return awake_; });
  awake_ = false;
}

void steady_load_clock::wake() {
  {
    const std::lock_guard guard(mutex_);
    awake_ = true;
  }
  changed_.notify_one();
}

} // namespace levain::load
