#pragma once

#include "actors/workflow/definition.hpp"

namespace levain {

/// The wait after the n-th try of a round (from 1) failed: `initial_interval * backoff^(n-1)`, at most `max_interval`,
/// then stretched or shortened by up to `jitter`, still at most `max_interval`. `random` is uniform in [0, 1).
duration retry_wait(const retry_policy& policy, uint32_t tries, double random);

/// The same with what the service asked for: never shorter than that, which counts up to `retry_after_max`.
duration
retry_wait(const retry_policy& policy, uint32_t tries, double random, const std::optional<duration>& retry_after);

/// The wait before the run as a whole is tried again, when it was `retries` times before.
duration run_retry_wait(const run_retry_policy& policy, uint32_t retries);

} // namespace levain
