#include "actors/worker/worker_log.hpp"

#include <mutex>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace levain {

std::shared_ptr<spdlog::logger> worker_log() {
  constexpr const char* name = "levain_worker";
  // Two threads may ask for the first time.
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  if (auto known = spdlog::get(name))
    return known;
  auto made = spdlog::stderr_color_mt(name);
  made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  return made;
}

} // namespace levain
