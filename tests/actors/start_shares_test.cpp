#include "actors/start_shares.hpp"

#include <boost/test/unit_test.hpp>

using namespace levain;
using namespace std::chrono_literals;

namespace {

const tenant_id loud{{1, 1}};
const tenant_id quiet{{2, 2}};
const tenant_id stranger{{3, 3}};
const timestamp begin_time{std::chrono::hours(500'000)};

} // namespace

BOOST_AUTO_TEST_SUITE(start_shares_test)

BOOST_AUTO_TEST_CASE(who_starts_half_as_much_again_as_its_share_starts_too_much) {
  start_shares shares;
  for (int i = 0; i < 3; ++i)
    shares.count(loud, begin_time);
  shares.count(quiet, begin_time);
  BOOST_TEST(!shares.starts_too_much(loud, begin_time)); // Three of four; its share is two.
  shares.count(loud, begin_time);
  BOOST_TEST(shares.starts_too_much(loud, begin_time));
  BOOST_TEST(!shares.starts_too_much(quiet, begin_time));
  BOOST_TEST(!shares.starts_too_much(stranger, begin_time));
}

BOOST_AUTO_TEST_CASE(who_starts_alone_never_starts_too_much) {
  start_shares shares;
  BOOST_TEST(!shares.starts_too_much(loud, begin_time));
  for (int i = 0; i < 100; ++i)
    shares.count(loud, begin_time);
  BOOST_TEST(!shares.starts_too_much(loud, begin_time));
}

BOOST_AUTO_TEST_CASE(the_last_window_counts_and_older_ones_do_not) {
  start_shares shares;
  for (int i = 0; i < 5; ++i)
    shares.count(loud, begin_time);
  shares.count(quiet, begin_time + 1s);
  BOOST_TEST(shares.starts_too_much(loud, begin_time + 1s));
  for (int i = 0; i < 5; ++i)
    shares.count(stranger, begin_time + 2s);
  BOOST_TEST(!shares.starts_too_much(loud, begin_time + 2s));    // Forgotten.
  BOOST_TEST(shares.starts_too_much(stranger, begin_time + 2s)); // The quiet one is not.
  BOOST_TEST(!shares.starts_too_much(stranger, begin_time + 10s));
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_begins_anew) {
  start_shares shares;
  for (int i = 0; i < 5; ++i)
    shares.count(loud, begin_time);
  shares.count(quiet, begin_time);
  BOOST_TEST(shares.starts_too_much(loud, begin_time));
  BOOST_TEST(!shares.starts_too_much(loud, begin_time - 1h));
}

BOOST_AUTO_TEST_SUITE_END()
