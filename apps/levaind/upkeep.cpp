#include "apps/levaind/upkeep.hpp"

#include "persistence/log_quoted.hpp"

#include <spdlog/spdlog.h>

#include "persistence/schema_analytics.hpp"
#include "persistence/schema_partitions.hpp"

namespace levain {

namespace {

void round_of_upkeep(const std::string& url) {
  try {
    for (const auto& made : ensure_partitions(url))
      spdlog::info("partition_made name={}", made);
    refresh_analytics(url);
  } catch (const std::exception& failure) {
    spdlog::warn("upkeep_failed reason={}", log_quoted(failure.what()));
  }
}

} // namespace

upkeep::upkeep(std::string url, std::chrono::microseconds interval)
  : thread_([this, url = std::move(url), interval] { keep(url, interval); }) {}

upkeep::~upkeep() {
  {
    std::lock_guard guard(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void upkeep::keep(const std::string& url, std::chrono::microseconds interval) {
  std::unique_lock guard(mutex_);
  while (!changed_.wait_for(guard, interval, [this] { return ending_; })) {
    guard.unlock();
    round_of_upkeep(url);
    guard.lock();
  }
}

} // namespace levain
