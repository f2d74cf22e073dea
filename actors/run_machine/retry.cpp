#include "actors/run_machine/retry.hpp"

#include <algorithm>
#include <cmath>

#include "actors/run_machine/state.hpp"

namespace levain {

namespace {

/// In floating point, where a large power is infinite instead of wrong.
double capped(duration initial, double backoff, uint32_t power, duration longest) {
  auto wait = static_cast<double>(initial.count()) * std::pow(backoff, static_cast<double>(power));
  return std::min(wait, static_cast<double>(longest.count()));
}

} // namespace

duration retry_wait(const retry_policy& policy, uint32_t tries, double random) {
  auto wait = capped(policy.initial_interval, policy.backoff, tries > 0 ? tries - 1 : 0, policy.max_interval);
  wait *= 1 - policy.jitter + 2 * policy.jitter * random;
  wait = std::clamp(wait, 0.0, static_cast<double>(policy.max_interval.count()));
  return duration(static_cast<duration::rep>(wait));
}

duration
retry_wait(const retry_policy& policy, uint32_t tries, double random, const std::optional<duration>& retry_after) {
  auto wait = retry_wait(policy, tries, random);
  return retry_after ? std::max(wait, std::min(*retry_after, retry_after_max)) : wait;
}

duration run_retry_wait(const run_retry_policy& policy, uint32_t retries) {
  return duration(
    static_cast<duration::rep>(capped(policy.initial_interval, policy.backoff, retries, policy.max_interval)));
}

} // namespace levain
