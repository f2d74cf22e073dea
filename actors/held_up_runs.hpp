#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "persistence/ids.hpp"

namespace levain {

/// The runs whose events wait because others have locked a row or a key that they need, and what is locked, one line.
/// Safe from any thread.
class held_up_runs {
public:
  void put(const run_id& run, std::string reason) {
    const std::lock_guard lock(mutex_);
    reasons_[run] = std::move(reason);
  }

  void remove(const run_id& run) {
    const std::lock_guard lock(mutex_);
    reasons_.erase(run);
  }

  bool contains(const run_id& run) const {
    const std::lock_guard lock(mutex_);
    return reasons_.contains(run);
  }

  /// Empty when the run is not held up.
  std::string reason(const run_id& run) const {
    const std::lock_guard lock(mutex_);
    const auto found = reasons_.find(run);
    return found == reasons_.end() ? std::string() : found->second;
  }

private:
  mutable std::mutex mutex_;
  std::unordered_map<run_id, std::string> reasons_;
};

} // namespace levain
