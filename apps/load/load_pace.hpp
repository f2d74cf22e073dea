#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "persistence/timestamp.hpp"

namespace levain::load {

/// How fast runs are started: an open loop starts them at a rate whatever becomes of them, a closed loop keeps a number
/// of them in flight.
struct pace_options {
  /// Runs per second, more than 0; absent for a closed loop.
  std::optional<double> rate;
  /// Of a closed loop; at least 1.
  size_t in_flight = 1000;
  /// For so long rate or number grow evenly from nothing.
  duration ramp{0};
};

/// When the runs of a load are to be started. Times count from the load's beginning. Pure.
class load_pace {
public:
  explicit load_pace(const pace_options& options)
    : options_(options) {}

  bool open_loop() const { return options_.rate.has_value(); }

  /// Open loop: how many starts are due by then.
  uint64_t due(duration at) const;
  /// Open loop: the moment for which start `number` (from 0) is meant.
  duration moment_of(uint64_t number) const;
  /// Closed loop: how many runs may be in flight; at least 1.
  size_t in_flight_max(duration at) const;

private:
  pace_options options_;
};

} // namespace levain::load
