#include <boost/test/unit_test.hpp>

#include "actors/cluster/wire_address.hpp"

using namespace levain;

namespace {

/// Reads it, and writes it again; empty when it is no address.
std::string read(const std::string& text) {
  const auto found = parse_wire_address(text);
  return found ? to_string(*found) : std::string();
}

} // namespace

BOOST_AUTO_TEST_SUITE(wire_address_test)

BOOST_AUTO_TEST_CASE(host_and_port_are_read_as_they_are_written) {
  for (const auto* text : {"127.0.0.1:7500", "oven-2.bakery.example:1", "localhost:65535", "[::1]:7500"})
    BOOST_TEST(read(text) == text);
  BOOST_TEST(parse_wire_address("[fe80::1]:80")->host == "fe80::1");
  BOOST_TEST(parse_wire_address("[fe80::1]:80")->port == 80u);
}

BOOST_AUTO_TEST_CASE(nothing_else_is_an_address) {
  for (const auto* text :
       {"", ":", ":7500", "7500", "localhost", "localhost:", "localhost:0", "localhost:65536", "localhost:-1",
        "localhost:75x", "localhost: 7500", "localhost:7500 ", "::1:7500", "[]:7500", "[::1]7500", "[::1]", "a:b:7500"})
    BOOST_TEST(read(text).empty(), "'" << text << "' is read as " << read(text));
}

BOOST_AUTO_TEST_CASE(the_system_may_choose_the_port_of_a_listener) {
  BOOST_TEST(to_string(*parse_listen_address("[::1]:0")) == "[::1]:0");
  BOOST_TEST(to_string(*parse_listen_address("localhost:7500")) == "localhost:7500");
  BOOST_TEST(!parse_listen_address("localhost:65536"));
  BOOST_TEST(!parse_listen_address("localhost:"));
}

BOOST_AUTO_TEST_CASE(some_addresses_stand_for_all_of_a_machine) {
  for (const auto* text : {"0.0.0.0:7500", "[::]:7500", "[0:0::0]:7500"})
    BOOST_TEST(is_any_address(*parse_wire_address(text)), text);
  for (const auto* text : {"127.0.0.1:7500", "[::1]:7500", "0.0.0.1:7500", "bakehouse:7500"})
    BOOST_TEST(!is_any_address(*parse_wire_address(text)), text);
}

BOOST_AUTO_TEST_SUITE_END()
