// What becomes of what simulated nodes say to each other.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

#include "tests/simulation/trial.hpp"

using namespace levain::simulation;

namespace {

/// A run that goes on for half a minute at the older of two nodes, and a wish at the other one; after five heartbeats,
/// when each has half of the shards and no more move.
plan wish_at_the_other(const std::string& more) {
  return parse_plan(R"(
    world seed=7 nodes=2 calm=20s routers=yes
    workflow body={"workflow":"w0","version":1,"steps":[{"name":"a","call":{"http":{"url":"http://s"}},"timeout":"1m"}]}
    fate step=a after=30s
    start at=8s node=0 workflow=w0
    wish at=10s kind=pause start=0 node=1
    wish at=15s id=1 kind=resume start=0 node=1 tries=20
    )" + more);
}

bool has_line(const verdict& found, const std::string& end) {
  return std::any_of(
    found.lines.begin(), found.lines.end(), [&](const std::string& line) { return line.ends_with(end); });
}

verdict tried(const std::string& more) {
  auto found = try_plan(wish_at_the_other(more), telling::lines);
  for (const auto& each : found.violations)
    BOOST_TEST_MESSAGE(to_string(each.broken) << ": " << each.text);
  BOOST_TEST(found.violations.empty());
  return found;
}

} // namespace

BOOST_AUTO_TEST_SUITE(links_test)

BOOST_AUTO_TEST_CASE(a_wish_at_any_node_is_granted) {
  const auto found = tried("");
  BOOST_TEST(found.seen.count(sight::requests_sent) >= 2u);
  BOOST_TEST(found.seen.count(sight::pauses_granted) == 1u);
  BOOST_TEST(found.seen.count(sight::resumes_granted) == 1u);
}

BOOST_AUTO_TEST_CASE(without_a_connection_nothing_is_sent) {
  const auto found = tried("cut at=9s span=5500ms kind=closed\n");
  BOOST_TEST(found.seen.count(sight::requests_unsent) > 0u);
  BOOST_TEST(found.seen.count(sight::pauses_granted) == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_lost_on_its_way_is_not_done) {
  const auto found = tried("cut at=9s span=3s kind=silent\n");
  BOOST_TEST(found.seen.count(sight::requests_lost) == 1u);
  BOOST_TEST(found.seen.count(sight::pauses_granted) == 0u);
  BOOST_TEST(!has_line(found, "run_paused row running"));
  BOOST_TEST(has_line(found, "refused: unavailable"));
}

BOOST_AUTO_TEST_CASE(what_is_served_may_have_its_answer_lost) {
  const auto found = tried("cut at=9s span=8s kind=answers\n");
  BOOST_TEST(found.seen.count(sight::answers_lost) > 0u);
  BOOST_TEST(found.seen.count(sight::pauses_granted) == 0u);
  BOOST_TEST(has_line(found, "run_paused row running"));
}

BOOST_AUTO_TEST_CASE(a_node_that_stands_still_serves_later_what_it_was_asked) {
  const auto found = tried("pause at=9s node=0 span=4s\n");
  BOOST_TEST(found.seen.count(sight::pauses_granted) == 0u);
  BOOST_TEST(has_line(found, "run_paused row running"));
}

BOOST_AUTO_TEST_SUITE_END()
