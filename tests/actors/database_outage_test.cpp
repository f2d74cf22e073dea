// A database that takes nothing from one writer, from another, from all.
#include "actors/database_outage.hpp"

#include <boost/test/unit_test.hpp>

using namespace levain;
using namespace std::chrono_literals;

namespace {

const timestamp noon = timestamp(12h);

} // namespace

BOOST_AUTO_TEST_SUITE(database_outage_test)

BOOST_AUTO_TEST_CASE(none_goes_on_before_a_writer_fails) {
  database_outage outage;
  const auto writer = outage.enlist();
  BOOST_TEST(!outage.going_on());
  BOOST_TEST(!outage.report().has_value());
  BOOST_TEST(!outage.end(writer));
}

BOOST_AUTO_TEST_CASE(it_counts_from_the_first_failure_in_a_row_and_has_the_latest_reason) {
  database_outage outage;
  const auto writer = outage.enlist();
  BOOST_TEST(outage.begin(writer, noon, "connection lost"));
  BOOST_TEST(!outage.begin(writer, noon + 3s, "no room"));
  BOOST_TEST((outage.report() == outage_report{1, 1, noon, "no room"}));
  BOOST_TEST(outage.end(writer));
  BOOST_TEST(!outage.report().has_value());
  BOOST_TEST(outage.begin(writer, noon + 9s, "connection lost"));
  BOOST_TEST((outage.report() == outage_report{1, 1, noon + 9s, "connection lost"}));
}

BOOST_AUTO_TEST_CASE(a_writer_that_is_served_ends_only_its_own) {
  database_outage outage;
  const auto held_up = outage.enlist();
  const auto served = outage.enlist();
  BOOST_TEST(outage.begin(held_up, noon, "no room"));
  BOOST_TEST(!outage.end(served));
  BOOST_TEST(outage.going_on());
  BOOST_TEST((outage.report() == outage_report{1, 2, noon, "no room"}));
}

BOOST_AUTO_TEST_CASE(it_lasts_until_the_last_writer_is_served) {
  database_outage outage;
  const auto first = outage.enlist();
  const auto second = outage.enlist();
  BOOST_TEST(outage.begin(second, noon + 1s, "connection lost"));
  BOOST_TEST(!outage.begin(first, noon + 2s, "no room"));
  BOOST_TEST((outage.report() == outage_report{2, 2, noon + 1s, "no room"}));
  BOOST_TEST(!outage.end(second));
  BOOST_TEST((outage.report() == outage_report{1, 2, noon + 2s, "no room"}));
  BOOST_TEST(outage.end(first));
  BOOST_TEST(!outage.going_on());
}

BOOST_AUTO_TEST_SUITE_END()
