// The judge of the other guards: it has to say no.
#include <boost/test/unit_test.hpp>

#include <limits>

#include "tests/guards/recorded_figures.hpp"

using namespace levain::test;

BOOST_AUTO_TEST_SUITE(recorded_figures_test)

BOOST_AUTO_TEST_CASE(what_is_within_the_tolerance_is_kept) {
  for (const double measured : {90.0, 95.5, 100.0, 110.0})
    BOOST_TEST((judge({100, 10}, measured) == figure_verdict::kept), measured << " was not kept");
}

BOOST_AUTO_TEST_CASE(more_than_the_tolerance_is_worse) {
  BOOST_TEST((judge({100, 10}, 110.5) == figure_verdict::worse));
  BOOST_TEST((judge({100, 0}, 100.1) == figure_verdict::worse));
}

BOOST_AUTO_TEST_CASE(less_than_the_tolerance_is_better_and_to_be_recorded) {
  BOOST_TEST((judge({100, 10}, 89.5) == figure_verdict::better));
  BOOST_TEST((judge({100, 0}, 99.9) == figure_verdict::better));
}

BOOST_AUTO_TEST_CASE(what_was_rounded_off_is_no_change) {
  BOOST_TEST((judge({33.333, 0}, 100.0 / 3) == figure_verdict::kept));
}

BOOST_AUTO_TEST_CASE(a_figure_that_is_no_number_is_worse) {
  BOOST_TEST((judge({100, 10}, std::numeric_limits<double>::quiet_NaN()) == figure_verdict::worse));
  BOOST_TEST((judge({100, 10}, std::numeric_limits<double>::infinity()) == figure_verdict::worse));
}

BOOST_AUTO_TEST_CASE(what_moved_by_less_than_half_the_tolerance_is_not_recorded_anew) {
  BOOST_TEST(is_as_recorded({100, 10}, 104.5));
  BOOST_TEST(!is_as_recorded({100, 10}, 106));
  BOOST_TEST(!is_as_recorded({100, 10}, 94));
  BOOST_TEST(!is_as_recorded({std::nullopt, 10}, 100));
}

BOOST_AUTO_TEST_CASE(a_build_without_a_figure_is_not_judged) {
  BOOST_TEST((judge({std::nullopt, 10}, 100) == figure_verdict::not_recorded));
}

BOOST_AUTO_TEST_SUITE_END()
