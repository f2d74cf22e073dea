#pragma once

#include <string>
#include <vector>

#include "apps/load/load_result.hpp"
#include "apps/load/svg_plot.hpp"

namespace levain::load {

/// A result with the name it has on a page.
struct named_result {
  std::string name;
  load_result result;
};

// The plots of a page, with a curve for each result in the colour of its place.

/// Runs that ended in a second, over time; of one result alone those that started and were refused as well.
plot rate_plot(const std::vector<named_result>& results);
plot in_flight_plot(const std::vector<named_result>& results);
/// p50 and p99 of the runs that ended in each interval.
plot latency_plot(const std::vector<named_result>& results);
/// Of the process that loads, in MiB.
plot memory_plot(const std::vector<named_result>& results);
/// How many of a hundred runs took how long.
plot histogram_plot(const std::vector<named_result>& results);
/// How long it took how many of them at most.
plot quantile_plot(const std::vector<named_result>& results);

} // namespace levain::load
