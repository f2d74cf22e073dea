#include <boost/test/unit_test.hpp>

#include "persistence/node_compatibility.hpp"

using namespace levain;

namespace {

spoken_protocol node(const char* name, uint32_t min, uint32_t max, const char* version = "1.0.0") {
  return {name, version, min, max};
}

} // namespace

BOOST_AUTO_TEST_SUITE(node_compatibility_test)

BOOST_AUTO_TEST_CASE(ranges_that_touch_are_enough) {
  BOOST_TEST(!why_not_join(node("new", 2, 4), {node("old", 1, 2), node("newer", 4, 9)}).has_value());
  BOOST_TEST(why_not_join(node("new", 3, 4), {node("old", 1, 2)}).has_value());
  BOOST_TEST(why_not_join(node("old", 1, 2), {node("new", 3, 4)}).has_value());
}

BOOST_AUTO_TEST_CASE(whoever_has_no_gate_is_in_nobodys_way) {
  BOOST_TEST(!why_not_join(node("new", 3, 4), {node("silent", 0, 0)}).has_value());
  BOOST_TEST(!why_not_join(node("silent", 0, 0), {node("old", 1, 2)}).has_value());
  BOOST_TEST(!why_not_join(node("first", 3, 4), {}).has_value());
}

BOOST_AUTO_TEST_CASE(the_reason_names_both_sides_and_what_could_join) {
  const auto reason = why_not_join(
    node("new", 5, 6, "2.0.0"), {node("a", 1, 3), node("b", 2, 4, "1.1.0"), node("c", 4, 5), node("d", 0, 0, "0.1.0")});
  BOOST_TEST(
    *reason ==
    "node 'new' (levain 2.0.0) speaks version 5 to 6 of the cluster's protocol, and cannot join living nodes "
    "that do not: 'a' (levain 1.0.0) speaks 1 to 3, 'b' (levain 1.1.0) speaks 2 to 4; end the nodes that are "
    "to be replaced first");
  const auto other = why_not_join(node("new", 5, 5, "2.0.0"), {node("a", 1, 3), node("b", 2, 4, "1.1.0")});
  BOOST_TEST(
    *other ==
    "node 'new' (levain 2.0.0) speaks version 5 of the cluster's protocol, and cannot join living nodes that "
    "do not: 'a' (levain 1.0.0) speaks 1 to 3, 'b' (levain 1.1.0) speaks 2 to 4; a program that speaks 2 to 3 "
    "can join (the nodes here are levain 1.0.0, levain 1.1.0)");
}

BOOST_AUTO_TEST_SUITE_END()
