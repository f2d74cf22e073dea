#include "persistence/backoff.hpp"

#include <algorithm>
#include <cassert>

namespace levain {

backoff::backoff(backoff_options options)
  : options_(options) {
  assert(options_.initial.count() > 0);
  assert(options_.factor >= 1.0);
  assert(options_.wait_max >= options_.initial);
  assert(options_.jitter >= 0.0 && options_.jitter <= 1.0);
}

std::chrono::milliseconds backoff::next(double random) {
  assert(random >= 0.0 && random < 1.0);
  const auto cap = static_cast<double>(options_.wait_max.count());
  auto wait = static_cast<double>(options_.initial.count());
  // Multiplied step by step, so that no number of tries can overflow.
  for (uint32_t i = 0; i < tries_ && wait < cap; ++i)
    wait *= options_.factor;
  ++tries_;
  wait = std::min(wait, cap) * (1.0 + options_.jitter * (2.0 * random - 1.0));
  return std::chrono::milliseconds(static_cast<int64_t>(std::clamp(wait, 1.0, cap)));
}

} // namespace levain
