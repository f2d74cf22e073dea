// In which order, and how much at a time, the large bodies of calls go to a worker.
#include "actors/cluster/call_feed.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

#include "actors/cluster/wire_limits.hpp"

using namespace levain;

namespace {

constexpr uint64_t part = call_part_bytes_max;
constexpr uint64_t parts_at_a_time = call_parts_window_bytes / call_part_bytes_max;

} // namespace

BOOST_AUTO_TEST_SUITE(call_feed_test)

BOOST_AUTO_TEST_CASE(no_more_is_on_the_way_than_the_window_allows) {
  call_feed feed;
  feed.begin(1, 100 * part);
  uint64_t sent = 0;
  while (feed.next())
    ++sent;
  BOOST_TEST(sent == parts_at_a_time);
  BOOST_TEST(feed.confirm(part));
  BOOST_TEST(feed.next().has_value());
  BOOST_TEST(!feed.next().has_value());
}

BOOST_AUTO_TEST_CASE(every_byte_is_sent_once_and_in_order) {
  call_feed feed;
  const std::map<uint64_t, uint64_t> bodies{{1, 3 * part + 7}, {2, 1}, {3, 40 * part}};
  for (const auto& [number, bytes] : bodies)
    feed.begin(number, bytes);
  std::map<uint64_t, uint64_t> sent;
  while (const auto next = feed.next()) {
    BOOST_TEST(next->offset == sent[next->number]);
    BOOST_TEST((next->bytes > 0 && next->bytes <= part));
    sent[next->number] += next->bytes;
    BOOST_TEST(feed.confirm(next->bytes));
  }
  BOOST_TEST((sent == bodies));
  BOOST_TEST(feed.bytes_on_the_way() == 0U);
}

BOOST_AUTO_TEST_CASE(bodies_take_turns) {
  call_feed feed;
  feed.begin(1, 100 * part);
  feed.begin(2, 2 * part);
  std::string order;
  for (int count = 0; count < 6; ++count)
    order += std::to_string(feed.next()->number);
  BOOST_TEST(order == "121211");
}

BOOST_AUTO_TEST_CASE(a_body_that_is_dropped_is_sent_no_further_and_what_was_sent_is_confirmed) {
  call_feed feed;
  feed.begin(1, 100 * part);
  BOOST_TEST(feed.next().has_value());
  feed.drop(1);
  BOOST_TEST(!feed.next().has_value());
  BOOST_TEST(feed.bytes_on_the_way() == part);
  BOOST_TEST(feed.confirm(part));
  BOOST_TEST(!feed.confirm(1));
}

BOOST_AUTO_TEST_SUITE_END()
