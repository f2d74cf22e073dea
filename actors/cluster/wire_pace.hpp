#pragma once

#include <chrono>

namespace levain {

/// How fast a silent peer is found out. CAF sends the heartbeats and says when a connection is given up.
struct wire_pace {
  std::chrono::milliseconds heartbeat{500};
  /// A peer that said nothing for so long is cut off; its actors are down then. At least twice `heartbeat`.
  std::chrono::milliseconds silence_max{2000};
  /// Workers and nodes of other settings may expect one within 2 s of silence: none may be slower.
  static constexpr std::chrono::milliseconds heartbeat_max{1000};
  bool operator==(const wire_pace&) const = default;
};

} // namespace levain
