#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

namespace {

void damage(history& x) {
  x.judge.saw(journal_tampered{x.now, x.run, true, "event 1 is missing"});
}

void mend(history& x) {
  x.judge.saw(journal_tampered{x.now, x.run, false, "event 1 is as it was"});
}

void list(history& x, const place& by, epoch_number epoch, const std::string& kind = "journal_damaged") {
  x.judge.saw(stop_noted{x.now, by, x.run, epoch, kind});
}

} // namespace

BOOST_AUTO_TEST_SUITE(auditor_damage_test)

BOOST_AUTO_TEST_CASE(a_live_run_may_go_on_while_its_journal_is_damaged) {
  history x;
  x.begin();
  damage(x);
  x.succeed("a");
  x.succeed("b", 1, {completed});
  x.finish();
  BOOST_TEST(x.broken() == "");
}

BOOST_AUTO_TEST_CASE(who_takes_the_shard_over_leaves_a_damaged_run_alone) {
  history calls;
  calls.begin();
  damage(calls);
  calls.kill(calls.here);
  calls.boot(calls.there);
  calls.pass(1min);
  calls.own(calls.there, 2);
  calls.call("a");
  BOOST_TEST(calls.broken() == "damaged_is_left_alone");

  history mended;
  mended.begin();
  damage(mended);
  mended.kill(mended.here);
  mended.boot(mended.there);
  mended.pass(1min);
  mended.own(mended.there, 2);
  list(mended, mended.there, 2);
  mend(mended);
  list(mended, mended.there, 2, "");
  mended.succeed("a");
  mended.succeed("b", 1, {completed});
  mended.finish();
  BOOST_TEST(mended.broken() == "");
}

BOOST_AUTO_TEST_CASE(nothing_is_written_of_a_run_that_was_stopped) {
  history x;
  x.begin();
  damage(x);
  list(x, x.here, 1);
  x.write({{event_kind::run_paused, {}, 0, {}}});
  BOOST_TEST(x.broken() == "damaged_is_left_alone");
}

BOOST_AUTO_TEST_CASE(a_damaged_run_that_does_not_end_is_stopped) {
  history x;
  x.begin();
  damage(x);
  x.finish({{x.run, {"call"}}});
  BOOST_TEST(x.broken() == "damaged_is_stopped");

  history stopped;
  stopped.begin();
  damage(stopped);
  list(stopped, stopped.here, 1);
  stopped.finish({{stopped.run, {"stopped"}}});
  BOOST_TEST(stopped.broken() == "");
}

BOOST_AUTO_TEST_CASE(no_other_run_is_stopped_as_damaged) {
  history x;
  x.begin();
  list(x, x.here, 1);
  BOOST_TEST(x.broken() == "damaged_is_stopped");
}

BOOST_AUTO_TEST_CASE(a_mended_run_is_stopped_no_more_and_ends) {
  history x;
  x.begin();
  damage(x);
  list(x, x.here, 1);
  mend(x);
  x.finish({{x.run, {"stopped"}}});
  BOOST_TEST(x.broken() == "mended_goes_on run_ends");

  history late;
  late.begin();
  damage(late);
  list(late, late.here, 1);
  mend(late);
  late.pass(20min);
  list(late, late.here, 1, "");
  BOOST_TEST(late.broken() == "mended_goes_on");
}

BOOST_AUTO_TEST_CASE(what_the_engine_says_of_a_damaged_run_is_no_complaint_and_of_another_is) {
  history x;
  x.begin();
  damage(x);
  const auto stopped = "run_stopped run=" + to_string(x.run) + " kind=journal_damaged reason=\"event 1\"";
  x.judge.saw_complaint(x.now, x.here, stopped);
  BOOST_TEST(x.broken() == "");
  x.judge.saw_complaint(x.now, x.here, "run_stopped run=" + to_string(x.run) + " kind=stuck reason=\"\"");
  BOOST_TEST(x.broken() == "no_complaint");

  history whole;
  whole.begin();
  whole.judge.saw_complaint(whole.now, whole.here, stopped);
  BOOST_TEST(whole.broken() == "no_complaint");
}

BOOST_AUTO_TEST_CASE(a_wish_is_rejected_while_the_journal_is_damaged) {
  history x;
  x.begin();
  damage(x);
  x.deny(x.wish(wish_kind::resume, "anna"), "conflict");
  mend(x);
  x.pass(1min);
  x.grant(x.wish(wish_kind::retry, "bela"));
  BOOST_TEST(x.broken() == "");
  x.deny(x.wish(wish_kind::cancel, "cleo"), "conflict");
  BOOST_TEST(x.broken() == "rejection_durable");
}

BOOST_AUTO_TEST_SUITE_END()
