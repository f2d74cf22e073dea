#include "apps/load/load_pace.hpp"

#include <algorithm>
#include <cmath>

namespace levain::load {

namespace {

constexpr double micros_in_second = 1e6;

double seconds_of(duration span) {
  return static_cast<double>(span.count()) / micros_in_second;
}

} // namespace

duration load_pace::moment_of(uint64_t number) const {
  const double rate = *options_.rate;
  const double ramp = seconds_of(options_.ramp);
  const auto n = static_cast<double>(number);
  // While the rate grows from 0, t seconds have seen rate * t^2 / (2 * ramp) starts.
  const double in_ramp = rate * ramp / 2;
  const double at = n < in_ramp ? std::sqrt(2 * ramp * n / rate) : ramp + (n - in_ramp) / rate;
  return duration(static_cast<int64_t>(std::llround(at * micros_in_second)));
}

uint64_t load_pace::due(duration at) const {
  if (at < duration(0))
    return 0;
  const double rate = *options_.rate;
  const double ramp = seconds_of(options_.ramp);
  const double t = seconds_of(at);
  const double starts = t < ramp ? rate * t * t / (2 * ramp) : rate * (t - ramp / 2);
  // Start 0 is due at once; rounding may be off by one, and `moment_of` decides.
  auto count = static_cast<uint64_t>(starts) + 1;
  while (count > 0 && moment_of(count - 1) > at)
    --count;
  while (moment_of(count) <= at)
    ++count;
  return count;
}

size_t load_pace::in_flight_max(duration at) const {
  if (at >= options_.ramp)
    return options_.in_flight;
  const double part = seconds_of(at) / seconds_of(options_.ramp);
  return std::max<size_t>(1, static_cast<size_t>(part * static_cast<double>(options_.in_flight)));
}

} // namespace levain::load
