#pragma once

#include <memory>

#include <spdlog/logger.h>

namespace levain {

/// Where a worker says what it goes through: the logger `levain_worker` of spdlog. Unless the program has registered
/// one by that name, it is made here and writes to standard error.
std::shared_ptr<spdlog::logger> worker_log();

} // namespace levain
