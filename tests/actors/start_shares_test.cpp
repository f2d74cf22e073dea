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

BOOST_AUTO_TEST_CASE(who_starts_more_than_others_has_had_its_share) {
  start_shares shares;
  for (int i = 0; i < 3; ++i)
    shares.count(loud, begin_time);
  shares.count(quiet, begin_time);
  BOOST_TEST(shares.has_had_its_share(loud, begin_time));
  BOOST_TEST(!shares.has_had_its_share(quiet, begin_time));
  BOOST_TEST(!shares.has_had_its_share(stranger, begin_time));
}

BOOST_AUTO_TEST_CASE(who_starts_alone_has_had_its_share) {
  start_shares shares;
  BOOST_TEST(!shares.has_had_its_share(loud, begin_time));
  shares.count(loud, begin_time);
  BOOST_TEST(shares.has_had_its_share(loud, begin_time));
}

BOOST_AUTO_TEST_CASE(the_last_window_counts_and_older_ones_do_not) {
  start_shares shares;
  for (int i = 0; i < 3; ++i)
    shares.count(loud, begin_time);
  shares.count(quiet, begin_time + 1s);
  BOOST_TEST(shares.has_had_its_share(loud, begin_time + 1s));
  BOOST_TEST(shares.has_had_its_share(quiet, begin_time + 2s)); // Now it alone is left.
  BOOST_TEST(!shares.has_had_its_share(loud, begin_time + 2s));
  BOOST_TEST(!shares.has_had_its_share(quiet, begin_time + 10s));
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_begins_anew) {
  start_shares shares;
  for (int i = 0; i < 3; ++i)
    shares.count(loud, begin_time);
  shares.count(quiet, begin_time - 1h);
  BOOST_TEST(!shares.has_had_its_share(loud, begin_time - 1h));
  BOOST_TEST(shares.has_had_its_share(quiet, begin_time - 1h));
}

BOOST_AUTO_TEST_SUITE_END()
