#include "apps/load/latency_histogram.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>

#include "tests/support/seed.hpp"

using namespace levain;
using namespace levain::load;
using namespace std::chrono_literals;

namespace {

constexpr std::initializer_list<unsigned> quantiles = {0, 1, 250, 500, 900, 990, 999, 1000};

/// The latency of that rank in a sorted list, as the histogram is to tell it.
int64_t exact_quantile(const std::vector<int64_t>& sorted, unsigned in_thousand) {
  const size_t rank = (sorted.size() * in_thousand + 999) / 1000;
  return sorted[std::max<size_t>(rank, 1) - 1];
}

/// Microseconds of all sizes, from one to most of an hour.
std::vector<int64_t> many_latencies(std::mt19937_64& random, size_t count) {
  std::uniform_real_distribution<double> exponent(0, std::log(3.59e9));
  std::vector<int64_t> all(count);
  for (auto& each : all)
    each = static_cast<int64_t>(std::exp(exponent(random)));
  return all;
}

void record_all(latency_histogram& histogram, const std::vector<int64_t>& all) {
  for (const auto us : all)
    histogram.record(std::chrono::microseconds(us));
}

/// No quantile is told shorter than it is, nor longer by 1/1024 of it.
void check_quantiles(const latency_histogram& histogram, std::vector<int64_t> all) {
  std::ranges::sort(all);
  for (const unsigned each : quantiles) {
    const auto exact = exact_quantile(all, each);
    const auto told = histogram.quantile(each).count();
    BOOST_TEST(told >= exact);
    BOOST_TEST(told <= exact + exact / 1024);
  }
}

/// How many of the list are in the row that ends at `upper_ms` and begins after `lower_ms`.
uint64_t counted_between(const std::vector<int64_t>& all, double lower_ms, double upper_ms) {
  return static_cast<uint64_t>(std::ranges::count_if(all, [&](int64_t us) {
    const double ms = static_cast<double>(us) / 1000;
    return ms > lower_ms && ms <= upper_ms;
  }));
}

} // namespace

BOOST_AUTO_TEST_SUITE(latency_histogram_test)

BOOST_AUTO_TEST_CASE(quantiles_are_those_of_a_sorted_list) {
  std::mt19937_64 random(test::announced_seed());
  for (const size_t count : {1, 2, 3, 10, 999, 1000, 1001, 20'000}) {
    const auto all = many_latencies(random, count);
    latency_histogram histogram;
    record_all(histogram, all);
    check_quantiles(histogram, all);
  }
}

BOOST_AUTO_TEST_CASE(every_microsecond_below_two_milliseconds_is_exact) {
  for (int us = 0; us < 2048; ++us) {
    latency_histogram histogram;
    histogram.record(std::chrono::microseconds(us));
    histogram.record(1h);
    BOOST_REQUIRE(histogram.quantile(500).count() == us);
  }
}

BOOST_AUTO_TEST_CASE(the_edges_of_every_doubling_are_within_the_error) {
  for (int64_t edge = 1024; edge < 3'600'000'000; edge *= 2)
    for (const int64_t us : {edge - 1, edge, edge + 1}) {
      latency_histogram histogram;
      histogram.record(std::chrono::microseconds(us));
      histogram.record(1h);
      BOOST_TEST(histogram.quantile(500).count() >= us);
      BOOST_TEST(histogram.quantile(500).count() <= us + us / 1024);
    }
}

BOOST_AUTO_TEST_CASE(adding_counts_as_if_one_had_seen_it_all) {
  std::mt19937_64 random(test::announced_seed());
  auto first = many_latencies(random, 3000);
  const auto second = many_latencies(random, 500);
  latency_histogram one;
  latency_histogram other;
  record_all(one, first);
  record_all(other, second);

  one.add(other);

  first.insert(first.end(), second.begin(), second.end());
  check_quantiles(one, first);
  BOOST_TEST(one.count() == 3500U);
  BOOST_TEST(one.figures().max == static_cast<double>(std::ranges::max(first)) / 1000);
}

BOOST_AUTO_TEST_CASE(mean_and_max_are_exact) {
  std::mt19937_64 random(test::announced_seed());
  const auto all = many_latencies(random, 1000);
  latency_histogram histogram;
  record_all(histogram, all);
  const auto figures = histogram.figures();
  const double mean = static_cast<double>(std::accumulate(all.begin(), all.end(), int64_t{0})) / 1000 / 1000;
  BOOST_TEST(figures.mean == mean, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(figures.max == static_cast<double>(std::ranges::max(all)) / 1000);
  BOOST_TEST(figures.count == 1000U);
}

BOOST_AUTO_TEST_CASE(rows_hold_what_lies_between_them) {
  std::mt19937_64 random(test::announced_seed());
  const auto all = many_latencies(random, 5000);
  latency_histogram histogram;
  record_all(histogram, all);

  const auto rows = histogram.figures().histogram;

  double lower = -1;
  uint64_t sum = 0;
  for (const auto& [upper, count] : rows) {
    BOOST_TEST(upper > lower);
    BOOST_TEST(count == counted_between(all, lower, upper));
    lower = upper;
    sum += count;
  }
  BOOST_TEST(sum == 5000U);
  BOOST_TEST(rows.size() < 500U);
}

BOOST_AUTO_TEST_CASE(rows_begin_and_end_close_to_what_was_counted) {
  latency_histogram histogram;
  histogram.record(10ms);
  const auto rows = histogram.figures().histogram;
  BOOST_REQUIRE(rows.size() == 2U);
  BOOST_TEST(rows[0].count == 0U);
  BOOST_TEST(rows[0].upper_ms == 9.727);
  BOOST_TEST(rows[1].count == 1U);
  BOOST_TEST(rows[1].upper_ms == 10.239);
}

BOOST_AUTO_TEST_CASE(what_is_longer_than_an_hour_counts_as_an_hour) {
  latency_histogram histogram;
  histogram.record(1h);
  histogram.record(30h);
  BOOST_TEST(histogram.quantile(500).count() >= latency_histogram::latency_max.count());
  BOOST_TEST(histogram.quantile(500).count() <= latency_histogram::latency_max.count() * 1025 / 1024);
  BOOST_TEST(histogram.figures().max == 30.0 * 3600 * 1000);
}

BOOST_AUTO_TEST_CASE(a_negative_latency_counts_as_none) {
  latency_histogram histogram;
  histogram.record(-5ms);
  BOOST_TEST(histogram.count() == 1U);
  BOOST_TEST(histogram.figures().max == 0.0);
}

BOOST_AUTO_TEST_CASE(nothing_counted_is_all_zero) {
  latency_histogram histogram;
  histogram.record(5ms);
  histogram.clear();
  const auto figures = histogram.figures();
  BOOST_TEST(figures.count == 0U);
  BOOST_TEST(figures.p99 == 0.0);
  BOOST_TEST(figures.max == 0.0);
  BOOST_TEST(figures.mean == 0.0);
  BOOST_TEST(figures.histogram.empty());
}

BOOST_AUTO_TEST_CASE(there_is_no_quantile_beyond_the_longest) {
  BOOST_CHECK_THROW(latency_histogram().quantile(1001), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
