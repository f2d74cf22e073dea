#pragma once

#include <cassert>
#include <cstdint>
#include <string_view>

namespace levain::simulation {

/// Where all chance of a simulation comes from: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014) and arithmetic of our own, so that a seed means the same with every compiler and library.
class chance {
public:
  explicit chance(uint64_t seed)
    : state_(seed) {}

  /// Uniform over all numbers.
  uint64_t draw() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  /// 0 to `count` - 1; `count` is above zero and small against 2^64, so that the remainder's bias is nothing.
  uint64_t below(uint64_t count) {
    assert(count > 0);
    return draw() % count;
  }

  /// From `first` to `last`, both included.
  int64_t between(int64_t first, int64_t last) {
    assert(first <= last);
    return first + static_cast<int64_t>(below(static_cast<uint64_t>(last - first) + 1));
  }

  /// True in so many of a thousand cases.
  bool happens(uint64_t per_thousand) { return below(1000) < per_thousand; }

  /// One of them.
  template <class Container>
  const auto& pick(const Container& of) {
    return of[below(of.size())];
  }

private:
  uint64_t state_;
};

/// A seed for one purpose out of a seed for many: what one purpose draws changes nothing for the others.
inline uint64_t seed_for(uint64_t seed, std::string_view purpose, uint64_t number = 0) {
  uint64_t mixed = chance(seed).draw();
  for (const char each : purpose)
    mixed = chance(mixed ^ static_cast<uint8_t>(each)).draw();
  return chance(mixed ^ number).draw();
}

} // namespace levain::simulation
