#include "actors/calls/simulate_fate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "actors/workflow/parse_definition.hpp"

namespace levain {

namespace {

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
class chance {
public:
  explicit chance(uint64_t seed)
    : state_(seed) {}

  uint64_t draw() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

  /// Uniform in [0, 1), with the 53 bits that a double holds.
  double share() { return static_cast<double>(draw() >> 11) * 0x1p-53; }

private:
  uint64_t state_;
};

/// FNV-1a, 64 bits (RFC 9923).
uint64_t hash_text(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text)
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

/// Each part is stirred before the next one enters, so that neighbouring seeds and attempts have nothing in common.
chance chance_of(uint64_t seed, std::string_view key, uint32_t attempt) {
  const uint64_t by_seed = chance(seed).draw();
  const uint64_t by_key = chance(by_seed ^ hash_text(key)).draw();
  return chance(by_key ^ attempt);
}

/// In microseconds.
double draw_time(const simulate_call& call, chance& luck) {
  using distribution = simulate_call::distribution_type;
  const auto time = static_cast<double>(call.time.count());
  switch (call.distribution) {
  case distribution::constant:
    return time;
  case distribution::uniform:
    return time + luck.share() * static_cast<double>((call.time_max - call.time).count());
  case distribution::exponential:
    return -time * std::log1p(-luck.share());
  case distribution::lognormal: {
    // Box and Muller, 1958.
    const double radius = std::sqrt(-2 * std::log1p(-luck.share()));
    return time * std::exp(call.sigma * radius * std::cos(2 * std::numbers::pi * luck.share()));
  }
  }
  return time;
}

} // namespace

simulated_fate simulate_fate(const simulate_call& call, std::string_view idempotency_key, uint32_t attempt) {
  auto luck = chance_of(call.seed, idempotency_key, attempt);
  // The end is drawn first: how an attempt ends must not depend on how its time is distributed.
  const double end = luck.share();
  const double time = std::min(draw_time(call, luck), static_cast<double>(step_timeout_max.count()));

  simulated_fate fate{duration(std::llround(time)), call.output};
  const auto fail = [&](call_failure::kind_type kind, const std::string& why) {
    fate.result = call_failure{kind, "simulated failure of attempt " + std::to_string(attempt) + why, std::nullopt};
  };
  if (attempt <= call.fail_first)
    fail(call_failure::kind_type::retryable, ", the first " + std::to_string(call.fail_first) + " fail");
  else if (end < call.fail_final_rate)
    fail(call_failure::kind_type::final, " for good");
  else if (end < call.fail_final_rate + call.fail_rate)
    fail(call_failure::kind_type::retryable, "");
  return fate;
}

} // namespace levain
