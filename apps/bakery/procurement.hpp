#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/bakery/sample.hpp"

namespace levain::bakery {

/// The weight of the newest price in the expected price.
inline constexpr double price_smoothing = 0.5;
/// Weeks of prices on which the expectation is measured.
inline constexpr int price_backtest_weeks = 8;

/// Packs of one ingredient in a purchase order.
struct order_line {
  std::string ingredient;
  int64_t packs = 0;
  int64_t pack_grams = 0;
  int64_t pack_price_cents = 0;
  /// What a pack was expected to cost, cents.
  double expected_price_cents = 0;
  /// Mean error of that expectation in the last weeks, as a share of the price.
  double price_error = 0;

  int64_t cost_cents() const { return packs * pack_price_cents; }
};

struct purchase_order {
  std::string supplier;
  std::string supplier_name;
  std::string address;
  sys_days expected_on;
  std::vector<order_line> lines;
  int64_t cost_cents = 0;
};

/// One ingredient's balance, grams.
struct ingredient_need {
  int64_t required = 0;
  int64_t on_hand = 0;
  int64_t on_order = 0;
  int64_t ordered = 0;
  /// Required beyond what is on hand: no order comes in time for it.
  int64_t missing = 0;
};

struct procurement_plan {
  std::vector<purchase_order> orders;
  std::map<std::string, ingredient_need> needs;
  int64_t cost_cents = 0;
  double expected_cost_cents = 0;
  /// 100 less the mean price error, weighted by cost, per cent rounded; 100 when nothing is ordered.
  int32_t cost_accuracy = 100;
};

/// What a series of prices says about the next one.
struct price_expectation {
  double cents = 0;
  /// Mean absolute error of the last `price_backtest_weeks` such expectations, as a share of the price.
  double error = 0;
};

/// Expects a price by simple exponential smoothing of those before the last, and measures how well that went. `prices`
/// holds at least two.
price_expectation expect_price(const std::vector<int64_t>& prices);

/// Orders what recipes times `units` (product to units made on `day`) take out of the stock. With u what the day needs
/// and L, R the supplier's lead time and ordering rhythm in days, an ingredient whose position (on hand + on order - u)
/// is below u * L is ordered up to u * (L + R), in whole packs (the (s, S) policy). The cheapest supplier who delivers
/// before the stock runs out is taken; if none does, the fastest.
procurement_plan plan_procurement(
  const sample& known, const bakery_site& site, const std::map<std::string, int32_t>& units, sys_days day);

} // namespace levain::bakery
