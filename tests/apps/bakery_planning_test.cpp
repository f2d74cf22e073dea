#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>

#include "apps/bakery/insights.hpp"
#include "apps/bakery/notifications.hpp"
#include "apps/bakery/procurement.hpp"
#include "apps/bakery/production.hpp"

using namespace levain::bakery;

namespace {

/// Two products, two suppliers of flour, one oven of four trays from 02:00 to 04:00.
sample small_sample() {
  sample known;
  known.products = {
    {"loaf", 400, 5, 40, 230, 200, {{"flour", 50000}}},
    {"roll", 50, 20, 20, 230, 160, {{"flour", 5000}}},
  };
  known.suppliers = {
    {"slow", "Slow Mill", "slow@mill.example", 3, 7, {{"flour", 10000, {1000, 1000, 1000, 1000, 1000, 1000}}}},
    {"fast", "Fast Mill", "fast@mill.example", 1, 7, {{"flour", 5000, {900, 900, 900, 900, 900, 1000}}}},
  };
  known.bakeries = {{
    .id = "one",
    .name = "One",
    .shift_starts = 120,
    .shift_ends = 240,
    .heating_minutes = 10,
    .ovens = {"oven"},
    .trays_per_oven = 4,
    .stakeholders = {{"head_baker", "Ada", "ada@one.example"}, {"shop_manager", "Ben", "ben@one.example"}},
    .stock_grams = {{"flour", 100000}},
  }};
  return known;
}

production_schedule plan_small(double loaves, double rolls, minute_of_day ends = 240) {
  auto known = small_sample();
  known.bakeries[0].shift_ends = ends;
  return plan_production(known, known.bakeries[0], {{"loaf", {loaves, 0}}, {"roll", {rolls, 0}}});
}

} // namespace

BOOST_AUTO_TEST_SUITE(bakery_planning_test)

BOOST_AUTO_TEST_CASE(what_is_due_first_is_baked_first) {
  auto schedule = plan_small(20, 80);
  BOOST_TEST_REQUIRE(schedule.batches.size() == 2u);
  BOOST_TEST(schedule.batches[0].product == "roll");
  // Ten minutes to heat, twenty to bake.
  BOOST_TEST(schedule.batches[0].starts == 130);
  BOOST_TEST(schedule.batches[0].ready == 150);
  BOOST_TEST(schedule.batches[1].starts == 150);
  BOOST_TEST(schedule.batches[1].ready == 190);
  BOOST_TEST(schedule.fulfillment_rate == 100);
  BOOST_TEST(schedule.on_time_delivery_rate == 100);
}

BOOST_AUTO_TEST_CASE(a_batch_never_holds_more_than_the_oven) {
  auto schedule = plan_small(33, 0);
  BOOST_TEST_REQUIRE(schedule.batches.size() == 2u);
  BOOST_TEST(schedule.batches[0].units == 20);
  BOOST_TEST(schedule.batches[0].trays == 4);
  BOOST_TEST(schedule.batches[1].units == 13);
  BOOST_TEST(schedule.batches[1].trays == 3);
}

BOOST_AUTO_TEST_CASE(what_comes_too_late_counts_against_punctuality) {
  // Two loads of loaves: ready at 170 and 210, wanted at 200.
  auto schedule = plan_small(40, 0);
  BOOST_TEST(schedule.on_time_delivery_rate == 50);
  BOOST_TEST(schedule.lines.at("loaf").late == 20);
  BOOST_TEST(schedule.fulfillment_rate == 100);
}

BOOST_AUTO_TEST_CASE(what_earns_least_in_the_oven_is_left_out) {
  // A load of loaves earns 20 x 350 cents in 40 minutes, one of rolls 80 x 45 in 20: loaves go.
  auto schedule = plan_small(40, 80, 200);
  BOOST_TEST(schedule.lines.at("roll").shortage == 0);
  BOOST_TEST(schedule.lines.at("loaf").planned == 20);
  BOOST_TEST(schedule.lines.at("loaf").shortage == 20);
  BOOST_TEST(schedule.fulfillment_rate == 100 * 100 / 120);
  for (const auto& batch : schedule.batches)
    BOOST_TEST(batch.ready <= 200);
}

BOOST_AUTO_TEST_CASE(where_only_one_load_has_room_the_worthier_one_stays) {
  // Rolls earn 180 cents a minute, loaves 175; either fits into the 50 minutes, both do not.
  auto schedule = plan_small(20, 80, 170);
  BOOST_TEST(schedule.lines.at("roll").planned == 80);
  BOOST_TEST(schedule.lines.at("loaf").planned == 0);
}

BOOST_AUTO_TEST_CASE(what_was_left_out_comes_back_where_it_fits) {
  // 40 loaves (two loads) and 85 rolls (one load and a rest of 5) in 75 minutes: the rest of 5 is worth least and goes
  // first, then a load of loaves goes; now the rest has room again.
  auto schedule = plan_small(40, 85, 120 + 10 + 40 + 40);
  BOOST_TEST(schedule.lines.at("roll").planned == 85);
  BOOST_TEST(schedule.lines.at("loaf").planned == 20);
}

BOOST_AUTO_TEST_CASE(every_planned_unit_is_in_a_batch_and_no_oven_bakes_twice_at_once) {
  const auto& known = embedded_sample();
  for (const auto& site : known.bakeries)
    for (int ahead = 1; ahead <= 7; ++ahead) {
      std::map<std::string, expected_demand> demand;
      for (const auto& [name, each] : forecast_demand(known, site, known.last_day + std::chrono::days(ahead)).products)
        demand[name] = {each.series.demand, each.series.sigma};
      auto schedule = plan_production(known, site, demand);
      std::map<std::string, int32_t> units;
      std::map<std::string, minute_of_day> free;
      for (const auto& batch : schedule.batches) {
        units[batch.product] += batch.units;
        BOOST_TEST(batch.starts >= std::max(site.shift_starts, free[batch.oven]));
        BOOST_TEST(batch.ready <= site.shift_ends);
        BOOST_TEST(batch.trays <= site.trays_per_oven);
        free[batch.oven] = batch.ready;
      }
      for (const auto& [name, line] : schedule.lines) {
        BOOST_TEST(line.planned == units[name]);
        BOOST_TEST(line.shortage == std::max(0, line.demand - line.planned));
      }
      BOOST_TEST(schedule.oven_utilisation <= 1);
    }
}

BOOST_AUTO_TEST_CASE(a_margin_of_half_aims_at_the_middle_of_the_demand) {
  auto known = small_sample();
  // Flour costs 10 cents a unit here, so a price of 20 leaves half.
  known.products[1].price_cents = 10;
  auto schedule = plan_production(known, known.bakeries[0], {{"roll", {60, 10}}, {"loaf", {0, 0}}});
  BOOST_TEST(schedule.lines.at("roll").service_level == 0.5, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(std::abs(schedule.lines.at("roll").target - 60) <= 1);
}

BOOST_AUTO_TEST_CASE(the_normal_quantile_is_as_exact_as_it_says) {
  // Values of the standard normal distribution.
  BOOST_TEST(std::abs(normal_quantile(0.5)) < 0.00045);
  BOOST_TEST(std::abs(normal_quantile(0.9) - 1.28155) < 0.00045);
  BOOST_TEST(std::abs(normal_quantile(0.025) + 1.95996) < 0.00045);
  BOOST_TEST(std::abs(normal_quantile(0.99) - 2.32635) < 0.00045);
}

BOOST_AUTO_TEST_CASE(nothing_asked_for_is_all_fulfilled) {
  auto schedule = plan_small(0, 0);
  BOOST_TEST(schedule.batches.empty());
  BOOST_TEST(schedule.fulfillment_rate == 100);
  auto known = small_sample();
  auto plan = plan_procurement(known, known.bakeries[0], {}, sys_days{});
  BOOST_TEST(plan.orders.empty());
  BOOST_TEST(plan.cost_accuracy == 100);
}

BOOST_AUTO_TEST_CASE(a_full_larder_orders_nothing) {
  auto known = small_sample();
  // 10 kg a day, 100 kg in stock.
  auto plan = plan_procurement(known, known.bakeries[0], {{"loaf", 20}}, sys_days{});
  BOOST_TEST(plan.orders.empty());
  BOOST_TEST(plan.needs.at("flour").required == 10000);
}

BOOST_AUTO_TEST_CASE(an_order_reaches_the_level_in_whole_packs_from_the_cheapest_in_time) {
  auto known = small_sample();
  known.bakeries[0].stock_grams = {{"flour", 39000}};
  // 10 kg a day leave 29 kg: 2.9 days, less than the slow mill's 3. The fast one is in time but 29 kg are more than its
  // one day.
  BOOST_TEST(plan_procurement(known, known.bakeries[0], {{"loaf", 20}}, sys_days{}).orders.empty());
  known.bakeries[0].stock_grams = {{"flour", 19000}};
  // 9 kg left, below 10 x 1: up to 10 x (1 + 7) = 80 kg lack 71 kg, 15 packs of 5 kg.
  auto plan = plan_procurement(known, known.bakeries[0], {{"loaf", 20}}, sys_days{});
  BOOST_TEST_REQUIRE(plan.orders.size() == 1u);
  BOOST_TEST(plan.orders[0].supplier == "fast");
  BOOST_TEST_REQUIRE(plan.orders[0].lines.size() == 1u);
  BOOST_TEST(plan.orders[0].lines[0].packs == 15);
  BOOST_TEST(plan.cost_cents == 15000);
  BOOST_TEST((plan.orders[0].expected_on == sys_days{} + std::chrono::days(1)));
}

BOOST_AUTO_TEST_CASE(what_is_already_ordered_is_not_ordered_again) {
  auto known = small_sample();
  known.bakeries[0].stock_grams = {{"flour", 19000}};
  known.bakeries[0].on_order_grams = {{"flour", 60000}};
  BOOST_TEST(plan_procurement(known, known.bakeries[0], {{"loaf", 20}}, sys_days{}).orders.empty());
}

BOOST_AUTO_TEST_CASE(what_no_delivery_can_bring_in_time_is_called_missing) {
  auto known = small_sample();
  known.bakeries[0].stock_grams = {{"flour", 4000}};
  auto plan = plan_procurement(known, known.bakeries[0], {{"loaf", 20}}, sys_days{});
  BOOST_TEST(plan.needs.at("flour").missing == 6000);
  BOOST_TEST(plan.orders.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_price_is_expected_from_those_before_it) {
  auto steady = expect_price({1000, 1000, 1000});
  BOOST_TEST(steady.cents == 1000);
  BOOST_TEST(steady.error == 0);
  auto jumped = expect_price({1000, 1000, 2000});
  BOOST_TEST(jumped.cents == 1000);
  BOOST_TEST(jumped.error == 0.25);
}

BOOST_AUTO_TEST_CASE(cost_accuracy_falls_with_the_price_error) {
  auto known = small_sample();
  known.bakeries[0].stock_grams = {};
  known.suppliers.erase(known.suppliers.begin());
  known.suppliers[0].offers[0].pack_price_cents_by_week = {1000, 1000, 2000};
  BOOST_TEST(plan_procurement(known, known.bakeries[0], {{"loaf", 20}}, sys_days{}).cost_accuracy == 75);
}

BOOST_AUTO_TEST_CASE(leftovers_follow_the_normal_loss) {
  // Made as much as expected: sigma / sqrt(2 pi) are left.
  BOOST_TEST(expected_leftover(100, 100, 10) == 3.98942, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(expected_leftover(120, 100, 0) == 20);
  BOOST_TEST(expected_leftover(80, 100, 0) == 0);
}

BOOST_AUTO_TEST_CASE(insights_speak_of_what_the_plan_leaves_undone) {
  auto known = small_sample();
  known.bakeries[0].shift_ends = 200;
  known.bakeries[0].stock_grams = {};
  auto schedule = plan_production(known, known.bakeries[0], {{"loaf", {40, 0}}, {"roll", {80, 0}}});
  auto plan = plan_procurement(known, known.bakeries[0], {{"loaf", 20}, {"roll", 80}}, sys_days{});
  demand_forecast forecast;
  forecast.products["loaf"].series = {.demand = 40, .trend_per_week = 0.05, .absolute_error = 10, .sold = 100};
  auto report = find_insights(known, forecast, schedule, plan);
  auto has = [&](std::string_view kind, std::string_view subject) {
    return std::any_of(report.insights.begin(), report.insights.end(), [&](const insight& each) {
      return each.kind == kind && each.subject == subject;
    });
  };
  BOOST_TEST(has("shortage", "loaf"));
  BOOST_TEST(has("trend", "loaf"));
  BOOST_TEST(has("stock", "flour"));
  BOOST_TEST(has("capacity", "ovens"));
  BOOST_TEST(has("price", "flour"));
  BOOST_TEST(!has("shortage", "roll"));
  BOOST_TEST(std::is_sorted(report.insights.begin(), report.insights.end(), [](const insight& a, const insight& b) {
    return a.value_cents > b.value_cents;
  }));
}

BOOST_AUTO_TEST_CASE(the_quality_score_weighs_the_four_measures) {
  demand_forecast forecast{.wmape = 0.1};
  production_schedule schedule{.fulfillment_rate = 80, .on_time_delivery_rate = 50};
  procurement_plan plan{.cost_accuracy = 70};
  // 0.4 x 90 + 0.3 x 80 + 0.2 x 50 + 0.1 x 70
  BOOST_TEST(find_insights(small_sample(), forecast, schedule, plan).quality_score == 77);
}

BOOST_AUTO_TEST_CASE(every_stakeholder_and_every_supplier_gets_one_message) {
  auto known = small_sample();
  known.bakeries[0].stock_grams = {};
  auto schedule = plan_small(20, 80);
  auto plan = plan_procurement(known, known.bakeries[0], {{"loaf", 20}, {"roll", 80}}, *parse_day("2026-11-24"));
  auto messages = write_messages(known.bakeries[0], *parse_day("2026-11-24"), schedule, plan);
  BOOST_TEST_REQUIRE(messages.size() == 3u);
  BOOST_TEST(messages[0].subject == "2 batches for Tuesday 2026-11-24");
  BOOST_TEST(messages[0].text.find("02:10-02:30 oven: 80 roll on 4 trays at 230 C") != std::string::npos);
  BOOST_TEST(messages[2].role == "supplier");
  BOOST_TEST(messages[2].text.find(format_money(plan.cost_cents)) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
