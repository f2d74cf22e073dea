#include <boost/test/unit_test.hpp>

#include "actors/count_rate.hpp"

using namespace levain;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(count_rate_test)

BOOST_AUTO_TEST_CASE(it_is_the_growth_per_second_since_the_reading_before) {
  count_rate rate;
  const timestamp begin{1h};
  BOOST_TEST(rate.read(1000, begin) == 0.0);
  BOOST_TEST(rate.read(1300, begin + 1500ms) == 200.0);
  BOOST_TEST(rate.read(1300, begin + 3s) == 0.0);
}

BOOST_AUTO_TEST_CASE(readings_close_together_are_one) {
  count_rate rate;
  const timestamp begin{1h};
  rate.read(0, begin);
  BOOST_TEST(rate.read(100, begin + 1s) == 100.0);
  BOOST_TEST(rate.read(110, begin + 1010ms) == 100.0);
  // Nothing is lost by that.
  BOOST_TEST(rate.read(200, begin + 2s) == 100.0);
}

BOOST_AUTO_TEST_CASE(a_clock_that_goes_back_begins_anew) {
  count_rate rate;
  const timestamp begin{1h};
  rate.read(0, begin);
  rate.read(100, begin + 1s);
  BOOST_TEST(rate.read(150, begin - 1min) == 100.0);
  BOOST_TEST(rate.read(160, begin - 59s) == 10.0);
}

BOOST_AUTO_TEST_SUITE_END()
