#pragma once

#include <string>
#include <vector>

#include "apps/bakery/forecasting.hpp"
#include "apps/bakery/procurement.hpp"
#include "apps/bakery/production.hpp"

namespace levain::bakery {

// From where on a number is worth a sentence.
/// Demand that changes by this share a week.
inline constexpr double trend_notable = 0.01;
/// Expected leftovers, as a share of what is baked.
inline constexpr double waste_notable = 0.1;
/// Oven time in use.
inline constexpr double utilisation_notable = 0.85;
/// A price above the mean of the four weeks before it.
inline constexpr double price_rise_notable = 0.02;
/// An insight this sure is posted for people to read; the others are only counted.
inline constexpr double confidence_posted_min = 0.7;

/// One sentence that the numbers support.
struct insight {
  /// `trend`, `waste`, `shortage`, `capacity`, `price`, `stock` or `forecast`.
  std::string kind;
  /// The product, ingredient or oven park it is about.
  std::string subject;
  std::string text;
  /// What it is worth a day, cents; 0 where money does not measure it.
  int64_t value_cents = 0;
  /// 0 to 1: how much the numbers behind it can be trusted.
  double confidence = 0;

  bool posted() const { return confidence >= confidence_posted_min; }
};

struct insight_report {
  /// Worth most first.
  std::vector<insight> insights;
  /// How far the night's plan can be trusted, 0 to 100: 0.4 forecast accuracy + 0.3 fulfilment + 0.2 punctuality + 0.1
  /// cost accuracy, where forecast accuracy is 100 less the backtest's weighted error in per cent.
  int32_t quality_score = 0;
};

/// Units left of `made` when demand is normal around `demand`: E[max(0, made - D)] = sigma (z Phi(z) + phi(z)) with
/// z = (made - demand) / sigma.
double expected_leftover(double made, double demand, double sigma);

insight_report find_insights(
  const sample& known, const demand_forecast& forecast, const production_schedule& schedule,
  const procurement_plan& plan);

} // namespace levain::bakery
