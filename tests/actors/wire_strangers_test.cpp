// How many connections may be open that have not introduced themselves.
#include <boost/test/unit_test.hpp>

#include "actors/cluster/wire_proxy.hpp"
#include "actors/cluster/wire_strangers.hpp"

using namespace levain;

BOOST_AUTO_TEST_SUITE(wire_strangers_test)

BOOST_AUTO_TEST_CASE(one_address_gets_its_share_and_no_more) {
  wire_strangers strangers(4, 2);
  BOOST_TEST(strangers.arrived("10.0.0.1"));
  BOOST_TEST(strangers.arrived("10.0.0.1"));
  BOOST_TEST(!strangers.arrived("10.0.0.1"));
  BOOST_TEST(strangers.arrived("10.0.0.2"));
  BOOST_TEST(strangers.count() == 3u);
}

BOOST_AUTO_TEST_CASE(all_addresses_together_get_no_more_than_all) {
  wire_strangers strangers(3, 2);
  for (const auto* each : {"10.0.0.1", "10.0.0.2", "10.0.0.3"})
    BOOST_TEST(strangers.arrived(each));
  BOOST_TEST(!strangers.arrived("10.0.0.4"));
}

BOOST_AUTO_TEST_CASE(who_is_introduced_or_gone_makes_room) {
  wire_strangers strangers(1, 1);
  BOOST_TEST(strangers.arrived("10.0.0.1"));
  BOOST_TEST(!strangers.arrived("10.0.0.2"));
  strangers.left("10.0.0.2");
  BOOST_TEST(strangers.count() == 1u);
  strangers.left("10.0.0.1");
  BOOST_TEST(strangers.count() == 0u);
  BOOST_TEST(strangers.arrived("10.0.0.2"));
}

BOOST_AUTO_TEST_CASE(few_descriptors_leave_less_room) {
  const auto enough = room_with(20'000);
  BOOST_TEST(enough.unintroduced == unintroduced_max);
  BOOST_TEST(enough.unintroduced_of_one_address == unintroduced_of_one_address_max);
  BOOST_TEST(enough.links == links_max);
  const auto few = room_with(1'024);
  BOOST_TEST(few.unintroduced == 128u);
  BOOST_TEST(few.unintroduced_of_one_address == 64u);
  BOOST_TEST(few.links == 204u);
  // A connection takes three.
  BOOST_TEST(few.unintroduced + 3 * few.links < 800u);
}

BOOST_AUTO_TEST_SUITE_END()
