#include "actors/steady_time.hpp"

#include <chrono>

namespace levain {

timestamp steady_utc() {
  using clock = std::chrono::steady_clock;
  struct beginning {
    timestamp utc = now_utc();
    clock::time_point steady = clock::now();
  };
  static const beginning began;
  return began.utc + std::chrono::duration_cast<duration>(clock::now() - began.steady);
}

} // namespace levain
