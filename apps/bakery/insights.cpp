#include "apps/bakery/insights.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/core.h>

namespace levain::bakery {

namespace {

using insight_list = std::vector<insight>;

/// A product's backtest as trust: 1 for a perfect forecast, 0 for one that errs by half of what was sold.
double trust(const series_forecast& series) {
  auto wmape = series.sold > 0 ? series.absolute_error / series.sold : 1;
  return std::clamp(1 - 2 * wmape, 0.0, 1.0);
}

void find_trends(insight_list& found, const demand_forecast& forecast, const production_schedule& schedule) {
  for (const auto& [product, each] : forecast.products) {
    const auto& series = each.series;
    auto line = schedule.lines.find(product);
    if (series.demand <= 0 || std::abs(series.trend_per_week) < trend_notable || line == schedule.lines.end())
      continue;
    auto worth = series.demand * series.trend_per_week * line->second.margin_cents;
    found.push_back(
      {"trend", product, fmt::format("Demand for {} changes by {:+.1f}% a week.", product, series.trend_per_week * 100),
       std::llround(std::abs(worth)), trust(series)});
  }
}

void find_waste(insight_list& found, const demand_forecast& forecast, const production_schedule& schedule) {
  for (const auto& [product, line] : schedule.lines) {
    auto left = expected_leftover(line.planned, line.demand, line.sigma);
    auto at = forecast.products.find(product);
    if (line.planned == 0 || left / line.planned < waste_notable || at == forecast.products.end())
      continue;
    found.push_back(
      {"waste", product,
       fmt::format(
         "About {:.0f} of {} {} will be left over: demand is {} give or take {:.0f}.", left, line.planned, product,
         line.demand, line.sigma),
       std::llround(left * line.unit_cost_cents), trust(at->second.series)});
  }
}

void find_shortages(insight_list& found, const production_schedule& schedule) {
  for (const auto& [product, line] : schedule.lines)
    if (line.shortage > 0)
      found.push_back(
        {"shortage", product, fmt::format("The ovens leave {} of {} {} unbaked.", line.shortage, line.demand, product),
         std::llround(line.shortage * line.margin_cents), 0.9});
}

void find_bottlenecks(insight_list& found, const production_schedule& schedule) {
  int32_t late = 0;
  double lost = 0;
  for (const auto& [product, line] : schedule.lines) {
    late += line.late;
    lost += line.shortage * line.margin_cents;
  }
  // The plan itself is certain; only the demand behind it is not.
  if (schedule.oven_utilisation >= utilisation_notable)
    found.push_back(
      {"capacity", "ovens", fmt::format("The ovens are in use {:.0f}% of the shift.", schedule.oven_utilisation * 100),
       std::llround(lost), 0.95});
  if (late > 0)
    found.push_back(
      {"capacity", "punctuality",
       fmt::format(
         "{} units leave the ovens after the shop wants them ({}% are on time).", late, schedule.on_time_delivery_rate),
       0, 0.95});
}

void find_prices(insight_list& found, const sample& known, const procurement_plan& plan) {
  for (const auto& seller : known.suppliers)
    for (const auto& each : seller.offers) {
      const auto& prices = each.pack_price_cents_by_week;
      if (!plan.needs.contains(each.ingredient) || prices.size() < 5)
        continue;
      double before = 0;
      for (size_t i = prices.size() - 5; i + 1 < prices.size(); ++i)
        before += double(prices[i]) / 4;
      auto rise = double(prices.back()) / before - 1;
      if (rise < price_rise_notable)
        continue;
      auto grams = double(plan.needs.at(each.ingredient).required);
      // A rise that is small against the price's usual wobble may be luck.
      auto wobble = expect_price(prices).error;
      found.push_back(
        {"price", each.ingredient,
         fmt::format(
           "{} asks {:.1f}% more for {} than in the four weeks before.", seller.name, rise * 100, each.ingredient),
         std::llround(grams * (each.price_per_gram() - before / double(each.pack_grams))), rise / (rise + wobble)});
    }
}

void find_stock_risks(insight_list& found, const procurement_plan& plan) {
  for (const auto& [ingredient, need] : plan.needs)
    if (need.missing > 0)
      found.push_back(
        {"stock", ingredient,
         fmt::format(
           "{:.1f} kg of {} are missing today: {:.1f} kg needed, {:.1f} kg in stock.", double(need.missing) / 1000,
           ingredient, double(need.required) / 1000, double(need.on_hand) / 1000),
         0, 0.9});
}

void find_weak_forecasts(insight_list& found, const demand_forecast& forecast) {
  for (const auto& [product, each] : forecast.products)
    if (each.series.absolute_error > each.series.naive_absolute_error && each.series.sold > 0)
      found.push_back(
        {"forecast", product,
         fmt::format("Last week's sales would have foretold {} better than the forecast did.", product), 0,
         1 - each.series.naive_absolute_error / each.series.absolute_error});
}

} // namespace

double expected_leftover(double made, double demand, double sigma) {
  if (sigma <= 0)
    return std::max(0.0, made - demand);
  auto z = (made - demand) / sigma;
  auto below = 0.5 * std::erfc(-z / std::numbers::sqrt2);
  auto density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
  return sigma * (z * below + density);
}

insight_report find_insights(
  const sample& known, const demand_forecast& forecast, const production_schedule& schedule,
  const procurement_plan& plan) {
  insight_report report;
  find_trends(report.insights, forecast, schedule);
  find_waste(report.insights, forecast, schedule);
  find_shortages(report.insights, schedule);
  find_bottlenecks(report.insights, schedule);
  find_prices(report.insights, known, plan);
  find_stock_risks(report.insights, plan);
  find_weak_forecasts(report.insights, forecast);
  std::stable_sort(report.insights.begin(), report.insights.end(), [](const insight& a, const insight& b) {
    return a.value_cents > b.value_cents;
  });
  auto accuracy = std::clamp(100 - 100 * forecast.wmape, 0.0, 100.0);
  report.quality_score = int32_t(std::lround(
    0.4 * accuracy + 0.3 * schedule.fulfillment_rate + 0.2 * schedule.on_time_delivery_rate +
    0.1 * plan.cost_accuracy));
  return report;
}

} // namespace levain::bakery
