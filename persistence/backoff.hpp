#pragma once

#include <chrono>
#include <cstdint>

namespace levain {

/// The limits of `backoff`.
struct backoff_options {
  /// The first wait; above zero.
  std::chrono::milliseconds initial{100};
  /// What each further wait is multiplied with; at least 1.
  double factor = 2.0;
  /// No wait is longer, jitter included.
  std::chrono::milliseconds wait_max{10'000};
  /// How far a wait strays from its length to either side, as a part of it: 0 to 1.
  double jitter = 0.2;
};

/// How long to wait between tries at a lost server: capped exponential growth with jitter, so that many who lost it
/// together do not come back together. Pure: neither sleeps nor draws random numbers.
class backoff {
public:
  explicit backoff(backoff_options options = {});

  /// The wait before the next try; `random` is in [0, 1) and chooses the jitter.
  std::chrono::milliseconds next(double random);

  /// The server answered: the next wait is the first one again.
  void reset() { tries_ = 0; }

  /// How many waits there were since the server answered last.
  uint32_t tries() const { return tries_; }

private:
  backoff_options options_;
  uint32_t tries_ = 0;
};

} // namespace levain
