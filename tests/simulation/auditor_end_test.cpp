#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

BOOST_AUTO_TEST_SUITE(auditor_end_test)

BOOST_AUTO_TEST_CASE(every_accepted_run_ends) {
  history hangs;
  hangs.begin();
  hangs.finish({{hangs.run, {"retry"}}});
  BOOST_TEST(hangs.broken() == "run_ends");

  history silent;
  silent.begin();
  silent.finish();
  BOOST_TEST(silent.broken() == "run_ends");
}

BOOST_AUTO_TEST_CASE(a_paused_run_may_wait_when_it_says_so) {
  const auto paused_says = [](const std::vector<std::string>& waits) {
    history x;
    x.begin();
    x.write({{event_kind::run_paused}});
    x.finish({{x.run, waits}});
    return x.broken();
  };
  BOOST_TEST(paused_says({"pause", "call"}) == "");
  BOOST_TEST(paused_says({"call"}) == "wait_is_true");

  history ended;
  ended.begin();
  ended.succeed("a");
  ended.succeed("b", 1, {completed});
  ended.finish({{ended.run, {"call"}}});
  BOOST_TEST(ended.broken() == "wait_is_true");
}

BOOST_AUTO_TEST_CASE(a_run_may_wait_for_a_slot_while_another_holds_it) {
  history alone;
  alone.accept();
  alone.finish({{alone.run, {"slot"}}});
  BOOST_TEST(alone.broken() == "wait_is_true");

  history kept;
  kept.accept();
  const auto into_the_same_world = [&](run_written& x) { kept.judge.saw(x); };
  history twin;
  twin.run.value.bytes[1] = 0x91;
  twin.accept(into_the_same_world);
  twin.write({started, {event_kind::run_paused}}, into_the_same_world);
  kept.finish({{kept.run, {"slot"}}, {twin.run, {"pause"}}});
  BOOST_TEST(kept.broken() == "");
}

BOOST_AUTO_TEST_CASE(what_the_engine_finds_wrong_with_itself_is_a_defect) {
  history x;
  x.judge.saw_complaint(x.now, x.here, "a run waits for nothing");
  BOOST_TEST(x.broken() == "no_complaint");
}

BOOST_AUTO_TEST_CASE(every_rule_has_a_name_and_a_sentence) {
  for (int i = 0; i < rule_count; ++i) {
    const auto each = static_cast<rule>(i);
    BOOST_TEST(!sentence_of(each).empty());
    BOOST_TEST((parse_rule(to_string(each)) == each));
  }
  BOOST_TEST(!parse_rule("no_such_rule"));
}

BOOST_AUTO_TEST_SUITE_END()
