#pragma once

#include <cstdint>

namespace levain {

/// Numbers by chance, the same for the same seed.
/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: one addition and a mix per
/// number.
class random_draw {
public:
  explicit random_draw(uint64_t seed)
    : state_(seed) {}

  /// At least 0, less than 1.
  double next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
  }

private:
  uint64_t state_;
};

} // namespace levain
