#include "apps/bakery/procurement.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>

namespace levain::bakery {

namespace {

struct choice {
  const supplier* seller = nullptr;
  const offer* sold = nullptr;
};

choice choose_supplier(const sample& known, const std::string& ingredient, double days_of_cover) {
  choice best;
  std::tuple<bool, int32_t, double> best_rank;
  for (const auto& seller : known.suppliers)
    for (const auto& each : seller.offers) {
      if (each.ingredient != ingredient)
        continue;
      bool late = seller.lead_time_days > days_of_cover;
      // Among those in time only the price counts; among the late ones the days come first.
      std::tuple rank(late, late ? seller.lead_time_days : 0, each.price_per_gram());
      if (!best.seller || rank < best_rank) {
        best = {&seller, &each};
        best_rank = rank;
      }
    }
  if (!best.seller)
    throw std::runtime_error("no supplier sells `" + ingredient + "`");
  return best;
}

std::map<std::string, ingredient_need>
collect_needs(const sample& known, const bakery_site& site, const std::map<std::string, int32_t>& units) {
  std::map<std::string, int64_t> hundredths;
  for (const auto& [name, made] : units) {
    const auto* known_product = known.find_product(name);
    if (!known_product)
      throw std::runtime_error("there is no product `" + name + "`");
    for (const auto& [ingredient, grams] : known_product->grams_per_100_units)
      hundredths[ingredient] += grams * made;
  }
  auto amount = [](const std::map<std::string, int64_t>& of, const std::string& ingredient) {
    auto at = of.find(ingredient);
    return at == of.end() ? int64_t{0} : at->second;
  };
  std::map<std::string, ingredient_need> needs;
  for (const auto& [ingredient, sum] : hundredths) {
    auto& need = needs[ingredient];
    need.required = (sum + 99) / 100;
    need.on_hand = amount(site.stock_grams, ingredient);
    need.on_order = amount(site.on_order_grams, ingredient);
    need.missing = std::max(int64_t{0}, need.required - need.on_hand);
  }
  return needs;
}

void close(procurement_plan& plan) {
  double error = 0;
  for (auto& order : plan.orders) {
    for (const auto& line : order.lines) {
      order.cost_cents += line.cost_cents();
      plan.expected_cost_cents += line.expected_price_cents * double(line.packs);
      error += line.price_error * double(line.cost_cents());
    }
    plan.cost_cents += order.cost_cents;
  }
  if (plan.cost_cents > 0)
    plan.cost_accuracy = std::clamp(int32_t(std::lround(100 - 100 * error / double(plan.cost_cents))), 0, 100);
}

} // namespace

price_expectation expect_price(const std::vector<int64_t>& prices) {
  price_expectation result{.cents = double(prices.front())};
  auto first_measured = std::max(1, int(prices.size()) - price_backtest_weeks);
  double errors = 0;
  for (int week = 1; week < int(prices.size()); ++week) {
    auto paid = double(prices[size_t(week)]);
    if (week >= first_measured)
      errors += std::abs(result.cents - paid) / paid;
    // The newest price is what the expectation is held against, so it is not part of it.
    if (week + 1 < int(prices.size()))
      result.cents += price_smoothing * (paid - result.cents);
  }
  result.error = errors / (int(prices.size()) - first_measured);
  return result;
}

procurement_plan plan_procurement(
  const sample& known, const bakery_site& site, const std::map<std::string, int32_t>& units, sys_days day) {
  procurement_plan plan{.needs = collect_needs(known, site, units)};
  std::map<const supplier*, purchase_order> by_supplier;
  for (auto& [ingredient, need] : plan.needs) {
    if (need.required == 0)
      continue;
    auto position = need.on_hand + need.on_order - need.required;
    auto cover = double(std::max(int64_t{0}, position)) / double(need.required);
    auto [seller, sold] = choose_supplier(known, ingredient, cover);
    if (position >= need.required * seller->lead_time_days)
      continue;
    auto lacking = need.required * (seller->lead_time_days + seller->order_every_days) - position;
    auto packs = (lacking + sold->pack_grams - 1) / sold->pack_grams;
    need.ordered = packs * sold->pack_grams;
    auto expected = expect_price(sold->pack_price_cents_by_week);
    auto& order = by_supplier[seller];
    order.lines.push_back(
      {ingredient, packs, sold->pack_grams, sold->pack_price_cents_by_week.back(), expected.cents, expected.error});
  }
  for (const auto& seller : known.suppliers)
    if (auto at = by_supplier.find(&seller); at != by_supplier.end()) {
      auto& order = at->second;
      order.supplier = seller.id;
      order.supplier_name = seller.name;
      order.address = seller.address;
      order.expected_on = day + std::chrono::days(seller.lead_time_days);
      plan.orders.push_back(std::move(order));
    }
  close(plan);
  return plan;
}

} // namespace levain::bakery
