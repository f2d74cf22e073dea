#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <vector>

#include "apps/bakery/forecasting.hpp"

using namespace levain::bakery;

namespace {

/// `weeks` weeks of the same shape, growing by `growth` of the first week's level each week.
std::vector<double> regular_sales(int weeks, double growth) {
  constexpr std::array<double, 7> shape{0.8, 0.9, 1.0, 1.0, 1.1, 1.4, 0.8};
  std::vector<double> sales;
  for (int t = 0; t < weeks * 7; ++t)
    sales.push_back(100 * shape[size_t(t % 7)] * (1 + growth * t / 7));
  return sales;
}

} // namespace

BOOST_AUTO_TEST_SUITE(bakery_forecasting_test)

BOOST_AUTO_TEST_CASE(a_regular_week_is_forecast_exactly) {
  auto sales = regular_sales(10, 0);
  for (int horizon = 1; horizon <= horizon_days_max; ++horizon) {
    auto forecast = forecast_series(sales, horizon);
    BOOST_TEST(forecast.demand == sales[size_t((horizon - 1) % 7)], boost::test_tools::tolerance(1e-9));
    BOOST_TEST(forecast.sigma < 1e-9);
    BOOST_TEST(std::abs(forecast.trend_per_week) < 1e-9);
  }
}

BOOST_AUTO_TEST_CASE(a_growing_product_beats_last_week) {
  auto sales = regular_sales(12, 0.03);
  auto forecast = forecast_series(sales, 1);
  // The thirteenth week's first day: 80 grown twelve times by three per cent of 80.
  BOOST_TEST(forecast.demand == 80 * 1.36, boost::test_tools::tolerance(0.03));
  BOOST_TEST(forecast.trend_per_week > 0.01);
  BOOST_TEST(forecast.absolute_error < forecast.naive_absolute_error);
}

BOOST_AUTO_TEST_CASE(a_weekday_that_is_always_closed_is_forecast_as_nothing) {
  auto sales = regular_sales(10, 0.01);
  for (size_t t = 6; t < sales.size(); t += 7)
    sales[t] = 0;
  auto closed = forecast_series(sales, 7);
  BOOST_TEST(closed.demand == 0);
  BOOST_TEST(closed.sigma == 0);
  BOOST_TEST(forecast_series(sales, 1).demand > 70);
}

BOOST_AUTO_TEST_CASE(a_holiday_does_not_lower_the_days_after_it) {
  auto sales = regular_sales(12, 0);
  sales[sales.size() - 3] = 0;
  for (int horizon = 1; horizon <= 4; ++horizon)
    BOOST_TEST(
      forecast_series(sales, horizon).demand == sales[size_t(horizon - 1)], boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_product_that_never_sold_is_forecast_as_nothing) {
  auto forecast = forecast_series(std::vector<double>(70, 0.0), 3);
  BOOST_TEST(forecast.demand == 0);
  BOOST_TEST(std::isfinite(forecast.weekday_factor));
  BOOST_TEST(std::isfinite(forecast.trend_per_week));
}

BOOST_AUTO_TEST_CASE(the_backtest_does_not_see_the_days_it_is_measured_on) {
  auto sales = regular_sales(12, 0.02);
  for (size_t t = 0; t < sales.size(); ++t)
    sales[t] *= 1 + 0.1 * std::sin(double(t * t));
  // From a fortnight before, what is forecast for the last fortnight is the same, whatever then came.
  auto forecast_in_all = [](const series_forecast& from) { return from.bias * backtest_days + from.sold; };
  auto as_it_went = forecast_in_all(forecast_series(sales, backtest_days));
  for (size_t t = sales.size() - backtest_days; t < sales.size(); ++t)
    sales[t] *= t % 2 ? 3 : 0.5;
  BOOST_TEST(forecast_in_all(forecast_series(sales, backtest_days)) == as_it_went, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(the_sample_has_the_weeks_bakeries_and_products_it_promises) {
  const auto& known = embedded_sample();
  BOOST_TEST(known.bakeries.size() >= 3u);
  BOOST_TEST(known.products.size() >= 10u);
  BOOST_TEST((known.last_day - known.first_day).count() + 1 >= 8 * 7);
  for (const auto& site : known.bakeries)
    for (const auto& each : known.products)
      BOOST_TEST(site.sales.at(each.name).size() == size_t((known.last_day - known.first_day).count() + 1));
}

BOOST_AUTO_TEST_CASE(every_bakery_is_forecast_better_than_by_last_week) {
  const auto& known = embedded_sample();
  for (const auto& site : known.bakeries) {
    auto forecast = forecast_demand(known, site, known.last_day + std::chrono::days(1));
    BOOST_TEST(forecast.products.size() == known.products.size());
    BOOST_TEST(forecast.wmape < forecast.naive_wmape);
    BOOST_TEST(forecast.wmape < 0.12);
    for (const auto& [name, each] : forecast.products) {
      BOOST_TEST(each.low >= 0);
      BOOST_TEST(each.low <= each.series.demand);
      BOOST_TEST(each.high >= each.series.demand);
    }
  }
}

BOOST_AUTO_TEST_CASE(days_and_clocks_are_read_strictly) {
  BOOST_TEST(format_day(*parse_day("2026-02-28")) == "2026-02-28");
  BOOST_TEST(weekday_name(*parse_day("2026-11-23")) == "Monday");
  for (auto wrong : {"2026-02-29", "2026-1-01", "26-01-01", "2026/01/01", "2026-13-01", "2026-01-0x", ""})
    BOOST_TEST(!parse_day(wrong), wrong);
  BOOST_TEST(parse_clock("06:30") == 390);
  for (auto wrong : {"6:30", "24:00", "06:60", "06-30", ""})
    BOOST_CHECK_THROW(parse_clock(wrong), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()
