// Quantiles of the newest values are exact, and old values are forgotten.
#include <boost/test/unit_test.hpp>

#include "actors/recent_values.hpp"

using levain::recent_values;

BOOST_AUTO_TEST_SUITE(recent_values_test)

BOOST_AUTO_TEST_CASE(nothing_added_reads_as_nothing) {
  BOOST_TEST((recent_values().read() == recent_values::figures{}));
}

BOOST_AUTO_TEST_CASE(one_value_is_all_of_them) {
  recent_values values;
  values.add(7);
  BOOST_TEST((values.read() == recent_values::figures{1, 7, 7, 7}));
}

BOOST_AUTO_TEST_CASE(quantiles_are_of_the_nearest_rank) {
  recent_values values;
  for (uint64_t value = 100; value >= 1; --value)
    values.add(value);
  BOOST_TEST((values.read() == recent_values::figures{100, 50, 99, 100}));
}

BOOST_AUTO_TEST_CASE(old_values_make_room_for_new_ones) {
  recent_values values;
  for (size_t i = 0; i < recent_values::values_max; ++i)
    values.add(1'000'000);
  for (size_t i = 0; i < recent_values::values_max; ++i)
    values.add(3);
  BOOST_TEST((values.read() == recent_values::figures{recent_values::values_max, 3, 3, 3}));
}

BOOST_AUTO_TEST_SUITE_END()
