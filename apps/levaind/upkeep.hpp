#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace levain {

/// Keeps the database in order at the side of the node, on a thread of its own: journal partitions are there before
/// they are needed, and the analytics view follows. What fails is logged and tried again in the next round.
class upkeep {
public:
  /// The first round is one `interval` from now: migration has done its work already.
  upkeep(std::string url, std::chrono::microseconds interval);
  /// Waits for the round that is under way.
  ~upkeep();
  upkeep(const upkeep&) = delete;
  upkeep& operator=(const upkeep&) = delete;

private:
  void keep(const std::string& url, std::chrono::microseconds interval);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace levain
