#include "apps/load/result_plots.hpp"

#include <algorithm>
#include <functional>

namespace levain::load {

namespace {

using results = std::vector<named_result>;
using points = std::vector<std::pair<double, double>>;

/// Of one result alone the name says nothing.
std::string series_name(const results& all, size_t i, const std::string& what) {
  return all.size() == 1 ? what : all[i].name + (what.empty() ? "" : " " + what);
}

points
over_time(const load_result& result, const std::function<std::optional<double>(const load_moment&, double)>& of) {
  points made;
  double before = 0;
  for (const auto& moment : result.over_time) {
    const double length = moment.at_s - before;
    before = moment.at_s;
    if (const auto value = of(moment, length))
      made.emplace_back(moment.at_s, *value);
  }
  return made;
}

points rate_of(const load_result& result, uint64_t load_moment::*count) {
  return over_time(result, [count](const load_moment& moment, double length) {
    return length > 0 ? std::optional(static_cast<double>(moment.*count) / length) : std::nullopt;
  });
}

} // namespace

plot rate_plot(const results& all) {
  plot drawn{"Rate", {"seconds"}, {"runs/s"}, {}};
  for (size_t i = 0; i < all.size(); ++i)
    drawn.series.push_back(
      {.name = series_name(all, i, all.size() == 1 ? "ended" : ""),
       .points = rate_of(all[i].result, &load_moment::ended),
       .colour = i,
       .filled = all.size() == 1});
  if (all.size() > 1)
    return drawn;
  const auto& result = all.front().result;
  drawn.series.push_back(
    {.name = "started", .points = rate_of(result, &load_moment::started), .colour = 1, .dashed = true});
  const auto was_refused = [](const load_moment& moment) { return moment.refused > 0; };
  if (std::any_of(result.over_time.begin(), result.over_time.end(), was_refused))
    drawn.series.push_back(
      {.name = "refused", .points = rate_of(result, &load_moment::refused), .colour = 3, .dashed = true});
  return drawn;
}

plot in_flight_plot(const results& all) {
  plot drawn{"In flight", {"seconds"}, {"runs"}, {}};
  for (size_t i = 0; i < all.size(); ++i)
    drawn.series.push_back(
      {.name = series_name(all, i, ""),
       .points = over_time(
         all[i].result, [](const load_moment& moment, double) { return std::optional<double>(moment.in_flight); }),
       .colour = i,
       .filled = all.size() == 1});
  return drawn;
}

plot latency_plot(const results& all) {
  plot drawn{"Latency", {"seconds"}, {"ms", axis_scale::logarithmic}, {}};
  for (size_t i = 0; i < all.size(); ++i) {
    const auto of = [&](std::optional<double> load_moment::*figure) {
      return over_time(all[i].result, [figure](const load_moment& moment, double) { return moment.*figure; });
    };
    drawn.series.push_back({.name = series_name(all, i, "p50"), .points = of(&load_moment::p50_ms), .colour = i});
    drawn.series.push_back(
      {.name = series_name(all, i, "p99"), .points = of(&load_moment::p99_ms), .colour = i, .dashed = true});
  }
  return drawn;
}

plot memory_plot(const results& all) {
  plot drawn{"Memory", {"seconds"}, {"MiB"}, {}};
  for (size_t i = 0; i < all.size(); ++i)
    drawn.series.push_back(
      {.name = series_name(all, i, ""),
       .points = over_time(
         all[i].result,
         [](const load_moment& moment, double) {
           return std::optional(static_cast<double>(moment.rss_bytes) / 1024 / 1024);
         }),
       .colour = i,
       .filled = all.size() == 1});
  return drawn;
}

plot histogram_plot(const results& all) {
  plot drawn{"How long runs took", {"ms", axis_scale::logarithmic}, {"% of runs"}, {}};
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& latency = all[i].result.latency_ms;
    points made;
    for (const auto& [upper, count] : latency.histogram)
      made.emplace_back(
        upper, 100 * static_cast<double>(count) / static_cast<double>(std::max<uint64_t>(latency.count, 1)));
    drawn.series.push_back(
      {.name = series_name(all, i, ""), .points = std::move(made), .colour = i, .filled = true, .steps = true});
  }
  return drawn;
}

plot quantile_plot(const results& all) {
  plot drawn{
    "How many took at most how long", {"share of runs", axis_scale::quantile}, {"ms", axis_scale::logarithmic}, {}};
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& latency = all[i].result.latency_ms;
    // The last run of all is at 1, which stands nowhere: its place is that of half a run before it.
    const double count = static_cast<double>(std::max<uint64_t>(latency.count, 1));
    points made;
    double below = 0;
    for (const auto& [upper, in_row] : latency.histogram) {
      if (in_row == 0)
        continue;
      if (made.empty())
        made.emplace_back(0, std::min(upper, latency.max));
      below += static_cast<double>(in_row);
      made.emplace_back(std::min(below, count - 0.5) / count, std::min(upper, latency.max));
    }
    drawn.series.push_back({.name = series_name(all, i, ""), .points = std::move(made), .colour = i});
  }
  return drawn;
}

} // namespace levain::load
