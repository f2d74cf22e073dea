#include "apps/bakery/production.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <tuple>

namespace levain::bakery {

namespace {

/// A load that waits for its oven.
struct oven_load {
  const product* made = nullptr;
  int32_t units = 0;
  /// Cents of margin for each minute in the oven.
  double worth = 0;
};

struct oven_plan {
  std::vector<production_batch> batches;
  minute_of_day ends = 0;
  int64_t busy_minutes = 0;
};

oven_plan place(const bakery_site& site, const std::vector<oven_load>& loads) {
  struct oven {
    minute_of_day free;
    int32_t celsius = 0;
  };
  oven_plan plan{.ends = site.shift_starts};
  std::vector<oven> ovens(site.ovens.size(), oven{site.shift_starts});
  for (const auto& load : loads) {
    size_t first = 0;
    auto soonest = std::numeric_limits<minute_of_day>::max();
    auto heating = [&](const oven& x) { return x.celsius == load.made->oven_celsius ? 0 : site.heating_minutes; };
    for (size_t i = 0; i < ovens.size(); ++i)
      if (auto ready = ovens[i].free + heating(ovens[i]) + load.made->bake_minutes; ready < soonest) {
        soonest = ready;
        first = i;
      }
    plan.busy_minutes += soonest - ovens[first].free;
    ovens[first] = {soonest, load.made->oven_celsius};
    plan.ends = std::max(plan.ends, soonest);
    plan.batches.push_back({
      .product = load.made->name,
      .units = load.units,
      .trays = (load.units + load.made->units_per_tray - 1) / load.made->units_per_tray,
      .oven = site.ovens[first],
      .oven_celsius = load.made->oven_celsius,
      .starts = soonest - load.made->bake_minutes,
      .ready = soonest,
      .ready_by = load.made->ready_by,
    });
  }
  return plan;
}

production_line make_line(const sample& known, const product& made, const expected_demand& expected) {
  production_line line;
  line.unit_cost_cents = ingredient_cost(known, made);
  line.margin_cents = double(made.price_cents) - line.unit_cost_cents;
  line.sigma = expected.sigma;
  line.demand = int32_t(std::lround(expected.units));
  line.service_level = std::clamp(line.margin_cents / double(made.price_cents), service_level_min, service_level_max);
  if (line.demand > 0)
    line.target =
      std::max(0, int32_t(std::ceil(expected.units + expected.sigma * normal_quantile(line.service_level))));
  return line;
}

std::vector<oven_load> cut_into_loads(const bakery_site& site, const product& made, const production_line& line) {
  std::vector<oven_load> loads;
  auto load_units = site.trays_per_oven * made.units_per_tray;
  for (auto left = line.target; left > 0; left -= load_units) {
    auto units = std::min(left, load_units);
    loads.push_back({&made, units, units * line.margin_cents / made.bake_minutes});
  }
  return loads;
}

/// The order of Jackson's rule. Loads due together go by temperature, so that ovens are heated less often.
bool goes_first(const oven_load& a, const oven_load& b) {
  return std::tuple(a.made->ready_by, -a.made->oven_celsius) < std::tuple(b.made->ready_by, -b.made->oven_celsius);
}

bool earns_less(const oven_load& a, const oven_load& b) {
  return a.worth < b.worth;
}

oven_plan fit_into_shift(const bakery_site& site, std::vector<oven_load> loads) {
  std::stable_sort(loads.begin(), loads.end(), goes_first);
  std::vector<oven_load> left_out;
  auto plan = place(site, loads);
  while (plan.ends > site.shift_ends) {
    auto cheapest = std::min_element(loads.begin(), loads.end(), earns_less);
    left_out.push_back(*cheapest);
    loads.erase(cheapest);
    plan = place(site, loads);
  }
  // What was left out for a longer load may fit where that one no longer stands: the last one out earns most.
  for (auto load = left_out.rbegin(); load != left_out.rend(); ++load) {
    auto with_it = loads;
    with_it.insert(std::upper_bound(with_it.begin(), with_it.end(), *load, goes_first), *load);
    if (auto fuller = place(site, with_it); fuller.ends <= site.shift_ends) {
      loads = std::move(with_it);
      plan = std::move(fuller);
    }
  }
  return plan;
}

void count(production_schedule& schedule, const sample& known) {
  int64_t demand = 0, met = 0, planned = 0, on_time = 0;
  for (const auto& batch : schedule.batches) {
    auto& line = schedule.lines.at(batch.product);
    line.planned += batch.units;
    line.late += batch.on_time() ? 0 : batch.units;
    on_time += batch.on_time() ? batch.units : 0;
  }
  for (const auto& made : known.products)
    if (auto at = schedule.lines.find(made.name); at != schedule.lines.end()) {
      auto& line = at->second;
      line.shortage = std::max(0, line.demand - line.planned);
      demand += line.demand;
      met += line.demand - line.shortage;
      planned += line.planned;
    }
  schedule.fulfillment_rate = demand > 0 ? int32_t(met * 100 / demand) : 100;
  schedule.on_time_delivery_rate = planned > 0 ? int32_t(on_time * 100 / planned) : 100;
}

} // namespace

double ingredient_cost(const sample& known, const product& made) {
  double cents = 0;
  for (const auto& [ingredient, grams] : made.grams_per_100_units) {
    auto cheapest = std::numeric_limits<double>::infinity();
    for (const auto& seller : known.suppliers)
      for (const auto& each : seller.offers)
        if (each.ingredient == ingredient)
          cheapest = std::min(cheapest, each.price_per_gram());
    if (std::isinf(cheapest))
      throw std::runtime_error("no supplier sells `" + ingredient + "`, which `" + made.name + "` needs");
    cents += cheapest * double(grams) / 100;
  }
  return cents;
}

double normal_quantile(double probability) {
  auto tail = std::min(probability, 1 - probability);
  auto t = std::sqrt(-2 * std::log(tail));
  auto x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  return probability < 0.5 ? -x : x;
}

production_schedule
plan_production(const sample& known, const bakery_site& site, const std::map<std::string, expected_demand>& demand) {
  production_schedule schedule;
  std::vector<oven_load> loads;
  for (const auto& [name, expected] : demand) {
    const auto* made = known.find_product(name);
    if (!made)
      throw std::runtime_error("there is no product `" + name + "`");
    auto& line = schedule.lines[name] = make_line(known, *made, expected);
    auto more = cut_into_loads(site, *made, line);
    loads.insert(loads.end(), more.begin(), more.end());
  }
  auto plan = fit_into_shift(site, std::move(loads));
  schedule.batches = std::move(plan.batches);
  auto oven_minutes = double(site.shift_ends - site.shift_starts) * double(site.ovens.size());
  schedule.oven_utilisation = double(plan.busy_minutes) / oven_minutes;
  count(schedule, known);
  return schedule;
}

} // namespace levain::bakery
