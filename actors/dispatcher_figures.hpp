#pragma once

#include <atomic>
#include <cstdint>

namespace levain {

/// What a dispatcher tells the rest of the node without being asked. It writes, any thread may read; the figures need
/// not be of one moment.
struct dispatcher_figures {
  std::atomic<uint64_t> runs_live{0};
  /// Of these, runs that wait for a slot.
  std::atomic<uint64_t> runs_waiting{0};
  /// Runs that could begin at once.
  std::atomic<uint64_t> slots_free{0};
  /// Runs that ended here since the node began.
  std::atomic<uint64_t> runs_ended{0};
};

} // namespace levain
