#pragma once

#include <array>
#include <map>
#include <span>
#include <string>

#include "apps/bakery/sample.hpp"

namespace levain::bakery {

/// How far ahead of the last day with sales a forecast may look.
inline constexpr int horizon_days_max = 28;
/// Days at the end of the sales on which the method is measured.
inline constexpr int backtest_days = 14;
/// How much of the trend is left after each day (Gardner's damping), so that no trend runs away.
inline constexpr double trend_damping = 0.98;

/// The weights of what a day taught, each 0 to 1.
struct smoothing_weights {
  double level = 0;
  double trend = 0;
  double season = 0;
  bool operator==(const smoothing_weights&) const = default;
};

/// What the past of one series of daily sales says about one future day.
struct series_forecast {
  /// Expected units.
  double demand = 0;
  /// Standard deviation of the demand around it, units: a busy day errs by more units than a quiet one, so this is
  /// `relative_sigma * demand`.
  double sigma = 0;
  /// Root mean square of the backtest's errors, each as a share of its forecast.
  double relative_sigma = 0;
  /// The demand's change per week as a share of its level: 0.01 is one per cent more each week.
  double trend_per_week = 0;
  /// The target weekday against an average day: 1.3 sells 30 per cent more.
  double weekday_factor = 0;
  smoothing_weights weights;
  /// Backtest: sum of absolute errors, and of units sold; and the errors of "as on the same weekday before".
  double absolute_error = 0;
  double naive_absolute_error = 0;
  double sold = 0;
  /// Backtest: mean of forecast minus sold, units.
  double bias = 0;
};

/// Forecasts `horizon` days (1 to `horizon_days_max`) after the last of `sales` (one number a day, at least 8 weeks).
///
/// Damped Holt-Winters exponential smoothing with a multiplicative week (Hyndman and Athanasopoulos, "Forecasting:
/// Principles and Practice", 3rd edition, section 8.3), its weights chosen on a grid by the least squared error one day
/// ahead. The backtest forecasts each of the last `backtest_days` from the data up to `horizon` days before it, with
/// weights chosen without them. Days without sales are taken as closed: a weekday that is always closed is forecast as
/// 0.
series_forecast forecast_series(std::span<const double> sales, int horizon);

struct product_forecast {
  series_forecast series;
  /// The 80 per cent interval, never below 0: demand -+ 1.2816 sigma.
  double low = 0;
  double high = 0;
};

/// A bakery's demand on one day.
struct demand_forecast {
  sys_days day;
  int horizon = 0;
  std::map<std::string, product_forecast> products;
  /// Weighted absolute percentage error of the backtest over all products, as a share of what was sold: 0.08 is 8 per
  /// cent.
  double wmape = 0;
  double naive_wmape = 0;
};

/// `day` must be 1 to `horizon_days_max` days after the sample's last day.
demand_forecast forecast_demand(const sample& known, const bakery_site& site, sys_days day);

} // namespace levain::bakery
