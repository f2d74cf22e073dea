// Calls whose bodies come in parts.
#include "actors/worker/call_arrivals.hpp"

#include <boost/test/unit_test.hpp>

#include "actors/cluster/wire_limits.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

const worker_moment start = worker_moment(std::chrono::hours(1));

call_given head(uint64_t number) {
  call_given given;
  given.number = number;
  given.time_left = 10'000;
  return given;
}

std::string fault_of(const call_arrivals::outcome& outcome) {
  const auto* fault = std::get_if<std::string>(&outcome);
  return fault ? *fault : "";
}

} // namespace

BOOST_AUTO_TEST_SUITE(call_arrivals_test)

BOOST_AUTO_TEST_CASE(a_call_is_whole_when_its_last_part_is_there) {
  call_arrivals arrivals;
  BOOST_TEST(!arrivals.announce(1, head(7), 5, start).has_value());
  BOOST_TEST(std::holds_alternative<std::monostate>(arrivals.take(1, {7, 0, "abc"}, start)));
  // The same number of another node is another call.
  BOOST_TEST(std::holds_alternative<std::monostate>(arrivals.take(2, {7, 0, "xyz"}, start)));
  const auto whole = arrivals.take(1, {7, 3, "de"}, start + 4s);
  BOOST_TEST_REQUIRE(std::holds_alternative<call_given>(whole));
  BOOST_TEST(std::get<call_given>(whole).body == "abcde");
  BOOST_TEST(std::get<call_given>(whole).time_left == 6'000);
  BOOST_TEST(!arrivals.contains(1, 7));
}

BOOST_AUTO_TEST_CASE(what_took_longer_than_there_was_time_has_the_shortest_time_left) {
  call_arrivals arrivals;
  arrivals.announce(1, head(7), 1, start);
  const auto whole = arrivals.take(1, {7, 0, "a"}, start + 1h);
  BOOST_TEST(std::get<call_given>(whole).time_left == 1);
}

BOOST_AUTO_TEST_CASE(parts_that_no_node_sends_are_faults) {
  call_arrivals arrivals;
  BOOST_TEST(arrivals.announce(1, head(1), 0, start).value() == "the call's body has 0 bytes, not 1 to 67108864");
  BOOST_TEST(
    arrivals.announce(1, head(1), wire_body_bytes_max + 1, start).value() ==
    "the call's body has 67108865 bytes, not 1 to 67108864");
  arrivals.announce(1, head(1), 5, start);
  BOOST_TEST(arrivals.announce(1, head(1), 5, start).value() == "the call 1 is announced although it is on its way");
  BOOST_TEST(
    fault_of(arrivals.take(1, {1, 1, "abc"}, start)) == "a part of call 1 has 3 bytes at 1, and 0 of 5 are there");
  BOOST_TEST(
    fault_of(arrivals.take(1, {1, 0, "abcdef"}, start)) == "a part of call 1 has 6 bytes at 0, and 0 of 5 are there");
  BOOST_TEST(fault_of(arrivals.take(1, {1, 0, ""}, start)) == "a part of call 1 has 0 bytes, not 1 to 65536");
}

BOOST_AUTO_TEST_CASE(a_call_that_is_dropped_or_whose_node_is_gone_is_awaited_no_more) {
  call_arrivals arrivals;
  arrivals.announce(1, head(7), 5, start);
  arrivals.announce(1, head(8), 5, start);
  arrivals.read(2, head(9));
  BOOST_TEST(arrivals.drop(1, 7).value().number == 7U);
  BOOST_TEST(!arrivals.drop(1, 7).has_value());
  BOOST_TEST(std::holds_alternative<std::monostate>(arrivals.take(1, {7, 0, "abcde"}, start)));
  arrivals.lose(1);
  BOOST_TEST(!arrivals.contains(1, 8));
  BOOST_TEST(arrivals.end(2, 9));
  BOOST_TEST(!arrivals.end(2, 9));
}

BOOST_AUTO_TEST_SUITE_END()
