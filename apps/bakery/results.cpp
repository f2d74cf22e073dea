#include "apps/bakery/results.hpp"

#include <cmath>

#include <fmt/core.h>

namespace levain::bakery {

namespace {

using json = nlohmann::json;

constexpr double units_max = 1e6;
constexpr int64_t grams_max = 1'000'000'000'000;
constexpr int64_t cents_max = 1'000'000'000'000;

double rounded(double value, double scale) {
  return std::round(value * scale) / scale;
}

sys_days read_day(const json_place& from) {
  auto day = parse_day(from.text());
  if (!day)
    from.refuse(fmt::format("must be a day like 2026-11-24, not `{}`", from.text()));
  return *day;
}

minute_of_day read_clock(const json_place& from) {
  try {
    return parse_clock(from.text());
  } catch (const std::runtime_error& wrong) {
    from.refuse(wrong.what());
  }
}

void check_product(const sample& known, const std::string& name, const json_place& place) {
  if (!known.find_product(name))
    place.refuse(fmt::format("there is no product `{}`", name));
}

production_batch read_batch(const sample& known, const json_place& from) {
  production_batch batch{
    .product = from.member("product").text(),
    .units = int32_t(from.member("units").integer(1, int64_t(units_max))),
    .trays = int32_t(from.member("trays").integer(1, 1000)),
    .oven = from.member("oven").text(),
    .oven_celsius = int32_t(from.member("oven_celsius").integer(0, 1000)),
    .starts = read_clock(from.member("starts")),
    .ready = read_clock(from.member("ready")),
    .ready_by = read_clock(from.member("ready_by")),
  };
  check_product(known, batch.product, from.member("product"));
  return batch;
}

production_line read_line(const json_place& from) {
  auto units = [&](std::string_view name) { return int32_t(from.member(name).integer(0, int64_t(units_max))); };
  return {
    .demand = units("demand"),
    .service_level = from.member("service_level").number(0, 1),
    .target = units("target"),
    .planned = units("planned"),
    .shortage = units("shortage"),
    .late = units("late"),
    .margin_cents = from.member("margin_cents").number(-double(cents_max), double(cents_max)),
    .unit_cost_cents = from.member("unit_cost_cents").number(0, double(cents_max)),
    .sigma = from.member("sigma").number(0, units_max),
  };
}

order_line read_order_line(const json_place& from) {
  return {
    .ingredient = from.member("ingredient").text(),
    .packs = from.member("packs").integer(1, 1'000'000),
    .pack_grams = from.member("pack_grams").integer(1, grams_max),
    .pack_price_cents = from.member("pack_price_cents").integer(0, 1'000'000),
    .expected_price_cents = from.member("expected_price_cents").number(0, double(cents_max)),
    .price_error = from.member("price_error").number(0, 1000),
  };
}

} // namespace

json to_json(const demand_forecast& forecast) {
  auto products = json::object();
  for (const auto& [name, each] : forecast.products) {
    const auto& series = each.series;
    products[name] = {
      {"demand", rounded(series.demand, 10)},
      {"low", rounded(each.low, 10)},
      {"high", rounded(each.high, 10)},
      {"sigma", rounded(series.sigma, 100)},
      {"trend_per_week", rounded(series.trend_per_week, 10000)},
      {"weekday_factor", rounded(series.weekday_factor, 1000)},
      {"weights",
       {{"level", series.weights.level}, {"trend", series.weights.trend}, {"season", series.weights.season}}},
      {"backtest",
       {{"sold", series.sold},
        {"absolute_error", rounded(series.absolute_error, 10)},
        {"naive_absolute_error", rounded(series.naive_absolute_error, 10)},
        {"bias", rounded(series.bias, 100)}}},
    };
  }
  return {
    {"date", format_day(forecast.day)},
    {"weekday", weekday_name(forecast.day)},
    {"horizon_days", forecast.horizon},
    {"method", "damped Holt-Winters, multiplicative week"},
    {"forecasts_generated", forecast.products.size()},
    {"forecast", std::move(products)},
    {"accuracy",
     {{"backtest_days", backtest_days},
      {"wmape", rounded(forecast.wmape, 10000)},
      {"naive_wmape", rounded(forecast.naive_wmape, 10000)}}},
  };
}

json to_json(const production_schedule& schedule) {
  auto batches = json::array();
  for (const auto& each : schedule.batches)
    batches.push_back({
      {"product", each.product},
      {"units", each.units},
      {"trays", each.trays},
      {"oven", each.oven},
      {"oven_celsius", each.oven_celsius},
      {"starts", format_clock(each.starts)},
      {"ready", format_clock(each.ready)},
      {"ready_by", format_clock(each.ready_by)},
    });
  auto products = json::object();
  auto shortage = json::object();
  for (const auto& [name, line] : schedule.lines) {
    products[name] = {
      {"demand", line.demand},
      {"service_level", rounded(line.service_level, 1000)},
      {"target", line.target},
      {"planned", line.planned},
      {"shortage", line.shortage},
      {"late", line.late},
      {"margin_cents", rounded(line.margin_cents, 100)},
      {"unit_cost_cents", rounded(line.unit_cost_cents, 100)},
      {"sigma", rounded(line.sigma, 100)},
    };
    if (line.shortage > 0)
      shortage[name] = line.shortage;
  }
  return {
    {"batches_created", schedule.batches.size()},
    {"schedule", std::move(batches)},
    {"products", std::move(products)},
    {"shortage", std::move(shortage)},
    {"fulfillment_rate", schedule.fulfillment_rate},
    {"on_time_delivery_rate", schedule.on_time_delivery_rate},
    {"oven_utilisation", rounded(schedule.oven_utilisation, 1000)},
  };
}

json to_json(const procurement_plan& plan) {
  auto orders = json::array();
  for (const auto& order : plan.orders) {
    auto lines = json::array();
    for (const auto& line : order.lines)
      lines.push_back({
        {"ingredient", line.ingredient},
        {"packs", line.packs},
        {"pack_grams", line.pack_grams},
        {"pack_price_cents", line.pack_price_cents},
        {"expected_price_cents", rounded(line.expected_price_cents, 10)},
        {"price_error", rounded(line.price_error, 10000)},
        {"cost_cents", line.cost_cents()},
      });
    orders.push_back({
      {"supplier", order.supplier},
      {"supplier_name", order.supplier_name},
      {"address", order.address},
      {"expected_on", format_day(order.expected_on)},
      {"lines", std::move(lines)},
      {"cost_cents", order.cost_cents},
    });
  }
  auto needs = json::object();
  for (const auto& [ingredient, need] : plan.needs)
    needs[ingredient] = {
      {"required_grams", need.required}, {"on_hand_grams", need.on_hand}, {"on_order_grams", need.on_order},
      {"ordered_grams", need.ordered},   {"missing_grams", need.missing},
    };
  return {
    {"plans_created", 1},
    {"purchase_orders_created", plan.orders.size()},
    {"orders", std::move(orders)},
    {"ingredients", std::move(needs)},
    {"cost_cents", plan.cost_cents},
    {"expected_cost_cents", rounded(plan.expected_cost_cents, 1)},
    {"cost_accuracy", plan.cost_accuracy},
  };
}

demand_forecast read_forecast(const sample& known, const json_place& from) {
  demand_forecast result;
  result.day = read_day(from.member("date"));
  result.horizon = int(from.member("horizon_days").integer(1, horizon_days_max));
  for (const auto& [name, each] : from.member("forecast").members()) {
    check_product(known, name, each);
    auto& into = result.products[name];
    auto backtest = each.member("backtest");
    into.series.demand = each.member("demand").number(0, units_max);
    into.series.sigma = each.member("sigma").number(0, units_max);
    into.series.trend_per_week = each.member("trend_per_week").number(-100, 100);
    into.series.weekday_factor = each.member("weekday_factor").number(0, 100);
    into.series.sold = backtest.member("sold").number(0, 1e9);
    into.series.absolute_error = backtest.member("absolute_error").number(0, 1e9);
    into.series.naive_absolute_error = backtest.member("naive_absolute_error").number(0, 1e9);
    into.low = each.member("low").number(0, units_max);
    into.high = each.member("high").number(0, units_max);
  }
  result.wmape = from.member("accuracy").member("wmape").number(0, 1e9);
  result.naive_wmape = from.member("accuracy").member("naive_wmape").number(0, 1e9);
  return result;
}

production_schedule read_schedule(const sample& known, const json_place& from) {
  production_schedule result;
  for (const auto& each : from.member("schedule").items())
    result.batches.push_back(read_batch(known, each));
  for (const auto& [name, each] : from.member("products").members()) {
    check_product(known, name, each);
    result.lines[name] = read_line(each);
  }
  result.fulfillment_rate = int32_t(from.member("fulfillment_rate").integer(0, 100));
  result.on_time_delivery_rate = int32_t(from.member("on_time_delivery_rate").integer(0, 100));
  result.oven_utilisation = from.member("oven_utilisation").number(0, 1);
  return result;
}

procurement_plan read_plan(const json_place& from) {
  procurement_plan result;
  for (const auto& each : from.member("orders").items()) {
    auto& order = result.orders.emplace_back();
    order.supplier = each.member("supplier").text();
    order.supplier_name = each.member("supplier_name").text();
    order.address = each.member("address").text();
    order.expected_on = read_day(each.member("expected_on"));
    order.cost_cents = each.member("cost_cents").integer(0, cents_max);
    for (const auto& line : each.member("lines").items())
      order.lines.push_back(read_order_line(line));
  }
  for (const auto& [ingredient, each] : from.member("ingredients").members())
    result.needs[ingredient] = {
      .required = each.member("required_grams").integer(0, grams_max),
      .on_hand = each.member("on_hand_grams").integer(0, grams_max),
      .on_order = each.member("on_order_grams").integer(0, grams_max),
      .ordered = each.member("ordered_grams").integer(0, grams_max),
      .missing = each.member("missing_grams").integer(0, grams_max),
    };
  result.cost_cents = from.member("cost_cents").integer(0, cents_max);
  result.expected_cost_cents = from.member("expected_cost_cents").number(0, double(cents_max));
  result.cost_accuracy = int32_t(from.member("cost_accuracy").integer(0, 100));
  return result;
}

std::map<std::string, expected_demand> demand_of(const demand_forecast& forecast) {
  std::map<std::string, expected_demand> result;
  for (const auto& [name, each] : forecast.products)
    result[name] = {each.series.demand, each.series.sigma};
  return result;
}

std::map<std::string, int32_t> planned_units(const production_schedule& schedule) {
  std::map<std::string, int32_t> result;
  for (const auto& batch : schedule.batches)
    result[batch.product] += batch.units;
  return result;
}

} // namespace levain::bakery
