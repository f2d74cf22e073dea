#pragma once

#include <mutex>
#include <string>
#include <utility>

namespace levain {

/// Why a node is to hold no shards, as its last look at the database found it. Any thread.
class node_standing {
public:
  void set(bool draining, const std::string& lacks) {
    const std::lock_guard lock(mutex_);
    draining_ = draining;
    lacks_ = lacks;
  }

  /// Whether an operator wants it, and what the node lacks.
  std::pair<bool, std::string> get() const {
    const std::lock_guard lock(mutex_);
    return {draining_, lacks_};
  }

private:
  mutable std::mutex mutex_;
  bool draining_ = false;
  std::string lacks_;
};

} // namespace levain
