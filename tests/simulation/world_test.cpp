// The simulated world: that a seed says all, and that what it is said to do happens.
#include <boost/test/unit_test.hpp>

#include "tests/simulation/draw_plan.hpp"
#include "tests/simulation/seed_runner.hpp"
#include "tests/simulation/trial.hpp"

using namespace levain::simulation;

namespace {

/// One workflow of two steps, one start.
plan calm_plan() {
  return parse_plan(R"(
    world seed=1 calm=2s
    workflow body={"workflow":"w0","version":1,"steps":[{"name":"a","call":{"http":{"url":"http://s"}}},{"name":"b","needs":["a"],"call":{"function":{"name":"service"}}}]}
    start id=0 at=100ms workflow=w0
  )");
}

} // namespace

BOOST_AUTO_TEST_SUITE(world_test)

BOOST_AUTO_TEST_CASE(a_run_in_a_calm_world_ends) {
  const auto found = try_plan(calm_plan(), telling::lines);
  BOOST_TEST(found.violations.empty());
  BOOST_TEST(found.seen.count(sight::runs_started) == 1u);
  BOOST_TEST(found.seen.count(sight::calls_made) == 2u);
  BOOST_TEST(found.lines.back().ends_with("the end, 0 unfinished"));
}

BOOST_AUTO_TEST_CASE(a_seed_says_all) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const auto drawn = draw_plan(seed);
    const auto once = try_plan(drawn, telling::lines);
    const auto again = try_plan(drawn, telling::lines);
    BOOST_TEST(once.trace_hash == again.trace_hash, "seed " << seed << " has two stories");
    BOOST_TEST(once.lines == again.lines);
  }
}

BOOST_AUTO_TEST_CASE(a_seed_says_the_same_in_every_process) {
  uint64_t here = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed)
    here += try_plan(draw_plan(seed)).trace_hash;
  const auto elsewhere = run_seeds({.first = 1, .count = 30, .jobs = 2}, [](const seeds_result&) {});
  BOOST_TEST(elsewhere.run == 30u);
  BOOST_TEST(elsewhere.stories_hash == here);
}

BOOST_AUTO_TEST_CASE(other_seeds_have_other_stories) {
  BOOST_TEST(try_plan(draw_plan(1)).trace_hash != try_plan(draw_plan(2)).trace_hash);
}

BOOST_AUTO_TEST_CASE(a_plan_survives_being_written_down) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const auto drawn = draw_plan(seed);
    BOOST_TEST((parse_plan(to_text(drawn)) == drawn), "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_plan_is_refused_by_line_and_value) {
  const auto refused = [](const std::string& text, const std::string& why) {
    BOOST_CHECK_EXCEPTION(parse_plan(text), std::invalid_argument, [&](const std::invalid_argument& wrong) {
      BOOST_TEST(wrong.what() == why);
      return true;
    });
  };
  refused("start id=1\n", "the plan has no line 'world'");
  refused("world nodes=many\n", "line 1 of the plan: nodes=many: this is no such value");
  refused("world\n\nkill at=3\n", "line 3 of the plan: at=3: this is no such value");
  refused("world\nbreak at=3s\n", "line 2 of the plan: there is no item 'break'");
  refused("world\nkill when=3s\n", "line 2 of the plan: kill has no member 'when'");
  BOOST_CHECK_THROW(try_plan(parse_plan("world nodes=2\nkill node=2\n")), std::invalid_argument);
  refused("world\nkill soon\n", "line 2 of the plan: 'soon' is not name=value");
}

BOOST_AUTO_TEST_SUITE_END()
