#pragma once

#include <compare>

namespace levain::simulation {

/// Workers are numbered from here on, so that they and the nodes have one order.
inline constexpr int first_worker = 1'000;

/// A process: which node (or worker) of the world, and which of its lives (0 for the first, one more at every boot).
struct place {
  int node = 0;
  int life = 0;
  auto operator<=>(const place&) const = default;

  bool is_worker() const { return node >= first_worker; }
};

inline place place_of_worker(int worker, int life) {
  return {first_worker + worker, life};
}

} // namespace levain::simulation
