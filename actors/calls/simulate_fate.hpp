#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "actors/run_machine/state.hpp"
#include "actors/workflow/definition.hpp"

namespace levain {

/// What becomes of one attempt of a simulated call.
struct simulated_fate {
  /// How long the attempt takes, 0 to `step_timeout_max`.
  duration time{0};
  /// The call's output, or why there is none: `retryable` or `final`.
  std::variant<std::string, call_failure> result;
  bool operator==(const simulated_fate&) const = default;
};

/// Draws the fate of an attempt from the call's seed, the idempotency key and the attempt's number (from 1), and from
/// nothing else: the same three give the same fate in every process and on every machine. The generator is SplitMix64
/// and the distributions are our own, because those of the standard library differ between implementations. Pure.
simulated_fate simulate_fate(const simulate_call& call, std::string_view idempotency_key, uint32_t attempt);

} // namespace levain
