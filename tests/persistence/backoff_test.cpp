#include <boost/test/unit_test.hpp>

#include "persistence/backoff.hpp"

using namespace levain;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(backoff_test)

BOOST_AUTO_TEST_CASE(waits_grow_until_the_cap) {
  backoff waits({.initial = 100ms, .factor = 2.0, .wait_max = 1s, .jitter = 0.0});
  for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms})
    BOOST_TEST((waits.next(0.5) == expected));
  BOOST_TEST(waits.tries() == 6u);
}

BOOST_AUTO_TEST_CASE(an_answer_begins_anew) {
  backoff waits({.initial = 100ms, .factor = 2.0, .wait_max = 1s, .jitter = 0.0});
  waits.next(0.5);
  waits.next(0.5);
  waits.reset();
  BOOST_TEST((waits.next(0.5) == 100ms));
}

BOOST_AUTO_TEST_CASE(jitter_strays_to_both_sides_but_never_above_the_cap) {
  backoff low({.initial = 100ms, .factor = 2.0, .wait_max = 150ms, .jitter = 0.2});
  backoff high = low;
  BOOST_TEST((low.next(0.0) == 80ms));
  BOOST_TEST((high.next(0.999) >= 119ms));
  BOOST_TEST((low.next(0.0) == 120ms));
  BOOST_TEST((high.next(0.999) == 150ms));
}

BOOST_AUTO_TEST_CASE(any_number_of_tries_stays_at_the_cap) {
  backoff waits;
  for (int i = 0; i < 10'000; ++i)
    BOOST_TEST((waits.next(0.999) <= backoff_options{}.wait_max));
}

BOOST_AUTO_TEST_SUITE_END()
