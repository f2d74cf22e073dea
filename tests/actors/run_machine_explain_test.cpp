// Why a run is where it is, in sentences.
#include <boost/test/unit_test.hpp>

#include "actors/run_machine/explain.hpp"
#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

namespace {

/// The summary and then every wait, a line each.
std::string said(const fed_run& run) {
  auto told = explain(run.state, run.now);
  auto text = told.summary;
  for (const auto& wait : told.waits)
    text += "\n" + wait.kind + ": " + wait.text;
  return text;
}

workflow_ptr flow() {
  return workflow_builder().step("a").compensated().attempts(3).step("b").needs({"a"}).after({}).build();
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_machine_explain_test)

BOOST_AUTO_TEST_CASE(a_pending_run_waits_for_a_slot) {
  fed_run run(flow(), false);
  BOOST_TEST(said(run) == "the run is accepted and has not begun\nslot: the run waits for a slot since 04:00:00Z");
}

BOOST_AUTO_TEST_CASE(a_call_has_a_deadline_and_other_steps_wait_for_it) {
  fed_run run(flow());
  BOOST_TEST(
    said(run) == "the run is running; 0 of 2 steps have succeeded\n"
                 "call: step a: attempt 1 is out since 04:00:00Z, its deadline is 04:00:30Z\n"
                 "steps: step b: waits for a");
  auto told = explain(run.state, run.now);
  BOOST_TEST((told.waits[0].until == night() + 30s));
  BOOST_TEST(told.waits[0].step == "a");
}

BOOST_AUTO_TEST_CASE(a_retry_says_when_and_why) {
  fed_run run(flow());
  run.fail("a", retryable("HTTP 503 from the oven"));
  BOOST_TEST(
    said(run) ==
    "the run is running; 0 of 2 steps have succeeded\n"
    "retry: step a: attempt 2 is due at 04:00:01Z, because attempt 1 failed: HTTP 503 from the oven (retryable)\n"
    "steps: step b: waits for a");
}

BOOST_AUTO_TEST_CASE(a_pause_names_who_and_since_when) {
  fed_run run(flow());
  run.feed(pause_asked{"ann"});
  run.succeed("a");
  BOOST_TEST(
    said(run) == "the run is paused; 1 of 2 steps have succeeded\n"
                 "pause: the run is paused by ann since 04:00:00Z; nothing new begins before it is resumed\n"
                 "pause: step b: nothing but the pause keeps it");
}

BOOST_AUTO_TEST_CASE(a_compensation_says_what_it_undoes_and_why) {
  fed_run run(flow());
  run.succeed("a");
  run.fail("b", final_failure("HTTP 422"));
  BOOST_TEST(
    said(run) == "the run undoes what it did, because step b failed: HTTP 422 (final)\n"
                 "compensation: step a: attempt 1 to undo it is out since 04:00:00Z, its deadline is 04:00:30Z");
  run.fail_undo("a", retryable());
  BOOST_TEST(
    said(run) ==
    "the run undoes what it did, because step b failed: HTTP 422 (final)\n"
    "compensation_retry: step a: attempt 2 to undo it is due at 04:00:01Z, because attempt 1 failed: HTTP 503 "
    "(retryable)");
}

BOOST_AUTO_TEST_CASE(a_retry_of_the_run_says_when) {
  fed_run run(workflow_builder().run_retries(2).step("a").build());
  run.fail("a");
  BOOST_TEST(
    said(run) == "the run waits to be tried again, because step a failed: HTTP 400 (final)\n"
                 "run_retry: retry 1 of at most 2 is due at 04:01:00Z, because step a failed: HTTP 400 (final)");
}

BOOST_AUTO_TEST_CASE(an_ended_run_says_how_and_waits_for_nothing) {
  fed_run run(workflow_builder().step("a").build());
  run.fail("a");
  BOOST_TEST(
    said(run) ==
    "the run failed at 04:00:00Z: step a failed: HTTP 400\nnothing: the run has ended; it waits for nothing");
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_says_who_and_why) {
  fed_run run(workflow_builder().step("a").build());
  run.feed(cancel_asked{"ann", "no flour"});
  BOOST_TEST(
    explain(run.state, run.now).summary == "the run is stopping, because it is being cancelled by ann (no flour)");
  run.fail("a");
  BOOST_TEST(explain(run.state, run.now).summary == "the run was cancelled by ann (no flour) at 04:00:00Z");
}

BOOST_AUTO_TEST_CASE(times_of_other_days_carry_their_date) {
  fed_run run(workflow_builder().step("a").build());
  auto told = explain(run.state, night() + 24h);
  BOOST_TEST(
    told.waits[0].text == "step a: attempt 1 is out since 2026-11-23T04:00:00Z, its deadline is 2026-11-23T04:00:30Z");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
