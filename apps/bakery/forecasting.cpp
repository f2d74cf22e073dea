#include "apps/bakery/forecasting.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace levain::bakery {

namespace {

constexpr int week = 7;

/// The smoothed picture of a series after its first `days` days.
struct weekly_level {
  double level = 0;
  double trend = 0;
  std::array<double, week> season{};
  int days = 0;

  /// From the first two weeks: their mean, their difference, and each weekday's share.
  explicit weekly_level(std::span<const double> sales)
    : days(2 * week) {
    std::array<double, 2> sums{};
    for (int t = 0; t < 2 * week; ++t)
      sums[size_t(t / week)] += sales[size_t(t)];
    level = sums[1] / week;
    trend = (sums[1] - sums[0]) / (week * week);
    for (int t = 0; t < 2 * week; ++t)
      if (auto mean = sums[size_t(t / week)] / week; mean > 0)
        season[size_t(t % week)] += sales[size_t(t)] / mean / 2;
  }

  double expect(int ahead) const {
    double damped = 0;
    for (int i = 1; i <= ahead; ++i)
      damped += std::pow(trend_damping, i);
    return std::max(0.0, (level + damped * trend) * season[size_t((days + ahead - 1) % week)]);
  }

  void learn(double sold, const smoothing_weights& weights) {
    auto& factor = season[size_t(days % week)];
    auto carried = level + trend_damping * trend;
    ++days;
    // A closed day says nothing about the level; it only lets a weekday fade or open again.
    if (sold <= 0 || factor <= 0) {
      factor = carried > 0 ? weights.season * sold / carried + (1 - weights.season) * factor : factor;
      level = carried;
      trend *= trend_damping;
      return;
    }
    auto before = level;
    level = weights.level * sold / factor + (1 - weights.level) * carried;
    trend = weights.trend * (level - before) + (1 - weights.trend) * trend_damping * trend;
    factor = weights.season * sold / carried + (1 - weights.season) * factor;
  }
};

double squared_error(std::span<const double> sales, const smoothing_weights& weights) {
  weekly_level picture(sales);
  double sum = 0;
  for (auto sold : sales.subspan(2 * week)) {
    auto error = picture.expect(1) - sold;
    sum += error * error;
    picture.learn(sold, weights);
  }
  return sum;
}

smoothing_weights choose_weights(std::span<const double> sales) {
  smoothing_weights best;
  auto least = std::numeric_limits<double>::infinity();
  for (double level : {0.02, 0.05, 0.1, 0.2, 0.4})
    for (double trend : {0.0, 0.02, 0.05, 0.1})
      for (double season : {0.02, 0.05, 0.1, 0.2}) {
        smoothing_weights weights{level, trend, season};
        if (auto error = squared_error(sales, weights); error < least) {
          least = error;
          best = weights;
        }
      }
  return best;
}

void measure(series_forecast& result, std::span<const double> sales, int horizon) {
  auto first_origin = int(sales.size()) - backtest_days - horizon + 1;
  auto weights = choose_weights(sales.first(size_t(first_origin)));
  weekly_level picture(sales);
  double squares = 0;
  int open_days = 0;
  for (int target = 2 * week + horizon - 1; target < int(sales.size()); ++target) {
    // `picture` knows everything up to `horizon` days before `target`.
    if (target >= int(sales.size()) - backtest_days) {
      auto sold = sales[size_t(target)];
      auto error = picture.expect(horizon) - sold;
      auto weeks_back = (horizon + week - 1) / week;
      auto expected = error + sold;
      squares += expected > 0 ? (error / expected) * (error / expected) : 0;
      open_days += expected > 0 ? 1 : 0;
      result.absolute_error += std::abs(error);
      result.naive_absolute_error += std::abs(sales[size_t(target - weeks_back * week)] - sold);
      result.sold += sold;
      result.bias += error / backtest_days;
    }
    picture.learn(sales[size_t(picture.days)], weights);
  }
  result.relative_sigma = open_days > 0 ? std::sqrt(squares / open_days) : 0;
}

} // namespace

series_forecast forecast_series(std::span<const double> sales, int horizon) {
  series_forecast result;
  measure(result, sales, horizon);
  result.weights = choose_weights(sales);
  weekly_level picture(sales);
  for (auto sold : sales.subspan(2 * week))
    picture.learn(sold, result.weights);
  result.demand = picture.expect(horizon);
  result.weekday_factor = picture.season[size_t((picture.days + horizon - 1) % week)];
  result.trend_per_week = picture.level > 0 ? picture.trend * week / picture.level : 0;
  result.sigma = result.relative_sigma * result.demand;
  return result;
}

demand_forecast forecast_demand(const sample& known, const bakery_site& site, sys_days day) {
  demand_forecast result{.day = day, .horizon = int((day - known.last_day).count())};
  double error = 0, naive_error = 0, sold = 0;
  for (const auto& [name, sales] : site.sales) {
    auto series = forecast_series(sales, result.horizon);
    error += series.absolute_error;
    naive_error += series.naive_absolute_error;
    sold += series.sold;
    // 1.2816 is the standard normal's 90th percentile.
    auto reach = 1.2816 * series.sigma;
    result.products[name] = {series, std::max(0.0, series.demand - reach), series.demand + reach};
  }
  result.wmape = sold > 0 ? error / sold : 0;
  result.naive_wmape = sold > 0 ? naive_error / sold : 0;
  return result;
}

} // namespace levain::bakery
