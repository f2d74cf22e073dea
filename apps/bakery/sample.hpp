#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/uuid.hpp"

namespace levain::bakery {

using std::chrono::sys_days;

/// Minutes since midnight, 0 to 1439.
using minute_of_day = int32_t;

/// What the bakeries sell and how they make it.
struct product {
  std::string name;
  int64_t price_cents = 0;
  int32_t units_per_tray = 0;
  int32_t bake_minutes = 0;
  int32_t oven_celsius = 0;
  /// When it has to be out of the oven.
  minute_of_day ready_by = 0;
  /// Ingredient to grams for 100 units.
  std::map<std::string, int64_t> grams_per_100_units;
};

/// An ingredient as a supplier sells it.
struct offer {
  std::string ingredient;
  int64_t pack_grams = 0;
  /// What a pack cost in each week of the sample; the last one is today's price.
  std::vector<int64_t> pack_price_cents_by_week;

  double price_per_gram() const { return double(pack_price_cents_by_week.back()) / double(pack_grams); }
};

struct supplier {
  std::string id;
  std::string name;
  std::string address;
  int32_t lead_time_days = 0;
  /// How often a bakery orders there.
  int32_t order_every_days = 0;
  std::vector<offer> offers;
};

/// Someone who is told about a night's plan.
struct stakeholder {
  /// `head_baker`, `shop_manager` or `purchasing`.
  std::string role;
  std::string name;
  std::string address;
};

/// One tenant.
struct bakery_site {
  std::string id;
  std::string name;
  uuid tenant;
  minute_of_day shift_starts = 0;
  minute_of_day shift_ends = 0;
  /// To bring an oven to another temperature.
  int32_t heating_minutes = 0;
  std::vector<std::string> ovens;
  int32_t trays_per_oven = 0;
  std::vector<stakeholder> stakeholders;
  std::map<std::string, int64_t> stock_grams;
  std::map<std::string, int64_t> on_order_grams;
  /// Product to units sold on each day from `sample::first_day` on; 0 where it was closed.
  std::map<std::string, std::vector<double>> sales;
};

/// Everything the five services know.
struct sample {
  std::vector<product> products;
  std::vector<supplier> suppliers;
  std::vector<bakery_site> bakeries;
  sys_days first_day;
  /// The last day with sales.
  sys_days last_day;

  /// Null when there is no such product, or tenant.
  const product* find_product(std::string_view name) const;
  const bakery_site* find_bakery(const uuid& tenant) const;
};

/// The sample that the program carries. Read once; throws `std::runtime_error` naming the file and what is wrong in it.
const sample& embedded_sample();

/// Reads `2026-11-24`; nothing for anything else.
std::optional<sys_days> parse_day(std::string_view text);
std::string format_day(sys_days day);
/// `Monday`.
std::string weekday_name(sys_days day);

/// Reads `06:30`. Throws `std::runtime_error` for anything else.
minute_of_day parse_clock(std::string_view text);
std::string format_clock(minute_of_day at);

/// `12.34 EUR`.
std::string format_money(int64_t cents);

} // namespace levain::bakery
