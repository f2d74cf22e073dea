#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/bakery/sample.hpp"

namespace levain::bakery {

/// No product is made for more than this chance of meeting all demand, however high its margin.
inline constexpr double service_level_max = 0.95;
/// The least chance of meeting all demand that a product is made for.
inline constexpr double service_level_min = 0.5;

/// What is known of a product's demand on the day.
struct expected_demand {
  double units = 0;
  double sigma = 0;
};

/// One oven load of one product.
struct production_batch {
  std::string product;
  int32_t units = 0;
  int32_t trays = 0;
  std::string oven;
  int32_t oven_celsius = 0;
  /// When the dough goes in, after heating to another temperature if need be.
  minute_of_day starts = 0;
  minute_of_day ready = 0;
  minute_of_day ready_by = 0;

  bool on_time() const { return ready <= ready_by; }
};

/// One product's part of the night.
struct production_line {
  /// Units expected to be asked for.
  int32_t demand = 0;
  /// The chance of meeting all demand that the target aims at.
  double service_level = 0;
  /// Units worth making.
  int32_t target = 0;
  int32_t planned = 0;
  /// Demand that the ovens cannot meet, units.
  int32_t shortage = 0;
  int32_t late = 0;
  /// Price less ingredients, cents a unit.
  double margin_cents = 0;
  double unit_cost_cents = 0;
  double sigma = 0;
};

struct production_schedule {
  std::vector<production_batch> batches;
  std::map<std::string, production_line> lines;
  /// Demand that is met by what is planned, per cent rounded down; 100 when nothing is asked for.
  int32_t fulfillment_rate = 100;
  /// Planned units that are ready when they have to be, per cent rounded down; 100 when nothing is planned.
  int32_t on_time_delivery_rate = 100;
  /// Baking and heating minutes against what all ovens have in the shift, 0 to 1.
  double oven_utilisation = 0;
};

/// The cheapest price of the ingredients of one unit, cents. Throws `std::runtime_error` when nobody sells one of them.
double ingredient_cost(const sample& known, const product& made);

/// The standard normal's quantile, for 0 < `probability` < 1: Abramowitz and Stegun 26.2.23, error below 0.00045.
double normal_quantile(double probability);

/// Plans the oven loads of a night. Units worth making follow the newsvendor rule: the demand's quantile at
/// margin / price, since an unsold unit is worth nothing. Loads are taken in the order of their `ready_by` (Jackson's
/// rule) to the oven that has them ready first; while they do not fit in the shift, the load that earns least per
/// minute is left out (after Moore and Hodgson's rule), and put back at the end where it still fits. `demand` names
/// products of the sample only.
production_schedule
plan_production(const sample& known, const bakery_site& site, const std::map<std::string, expected_demand>& demand);

} // namespace levain::bakery
