// Shrinking: what is left of a plan when everything that does not matter is taken away.
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "tests/simulation/draw_plan.hpp"
#include "tests/simulation/shrinking.hpp"

using namespace levain::simulation;
using namespace std::chrono_literals;

namespace {

/// A seed whose plan has something of everything that the tests look for.
plan rich_plan() {
  for (uint64_t seed = 1;; ++seed) {
    auto drawn = draw_plan(seed);
    const auto has = [&](auto fits) { return std::any_of(drawn.items.begin(), drawn.items.end(), fits); };
    if (
      drawn.items.size() > 40 && has([](const plan_item& x) { return std::holds_alternative<kill_item>(x); }) &&
      has([](const plan_item& x) {
        const auto* slow = std::get_if<slow_item>(&x);
        return slow != nullptr && slow->delay > 100ms;
      }))
      return drawn;
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(shrinking_test)

BOOST_AUTO_TEST_CASE(only_what_matters_is_left) {
  const auto breaks = [](const plan& x) {
    bool killed = false;
    bool slow = false;
    for (const auto& each : x.items) {
      killed = killed || std::holds_alternative<kill_item>(each);
      const auto* item = std::get_if<slow_item>(&each);
      slow = slow || (item != nullptr && item->delay > 100ms);
    }
    return killed && slow;
  };
  const auto from = rich_plan();
  const auto small = shrink(from, breaks);
  BOOST_TEST_REQUIRE(small.smallest.items.size() == 2u);
  for (const auto& each : small.smallest.items) {
    if (const auto* slow = std::get_if<slow_item>(&each)) {
      BOOST_TEST((slow->delay > 100ms && slow->delay <= 200ms));
      BOOST_TEST((slow->at == 0ms && slow->span == 0ms));
    } else {
      BOOST_TEST((std::get<kill_item>(each) == kill_item{}));
    }
  }
  BOOST_TEST(small.smallest.shape.nodes == 1);
}

BOOST_AUTO_TEST_CASE(steps_of_a_workflow_are_left_out) {
  plan from;
  from.items.emplace_back(workflow_item{
    0ms, 0,
    R"({"workflow":"w","version":1,"steps":[{"name":"a","call":{"simulate":{}},"effect":"none"},{"name":"b","needs":["a"],"call":{"simulate":{}}}]})"});
  const auto breaks = [](const plan& x) {
    return !x.items.empty() && std::get<workflow_item>(x.items[0]).body.find(R"("name":"b")") != std::string::npos;
  };
  const auto small = shrink(from, breaks);
  const auto& body = std::get<workflow_item>(small.smallest.items.at(0)).body;
  BOOST_TEST(body.find(R"("name":"a")") == std::string::npos);
  BOOST_TEST(body.find("needs") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_more_worlds_are_tried_than_allowed) {
  size_t tried = 0;
  const auto small = shrink(
    rich_plan(),
    [&](const plan&) {
      ++tried;
      return false;
    },
    10);
  BOOST_TEST(tried == 10u);
  BOOST_TEST(small.tried == 10u);
  BOOST_TEST((small.smallest == rich_plan()));
}

BOOST_AUTO_TEST_SUITE_END()
