// Why a run is where it is, in sentences.
#include <boost/test/unit_test.hpp>

#include "actors/run_machine/call_place.hpp"
#include "actors/run_machine/explain.hpp"
#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

namespace {

/// The summary and then every wait, a line each.
std::string said(const fed_run& run) {
  auto told = explain(run.state, {run.now});
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
                 "call: step a: attempt 1, simulated call, is out since 04:00:00Z; its deadline is 04:00:30Z\n"
                 "steps: step b: waits for a");
  auto told = explain(run.state, {run.now});
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
                 "compensation: step a: attempt 1 to undo it, simulated call, is out since 04:00:00Z; its deadline "
                 "is 04:00:30Z");
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
    explain(run.state, {run.now}).summary == "the run is stopping, because it is being cancelled by ann (no flour)");
  run.fail("a");
  BOOST_TEST(explain(run.state, {run.now}).summary == "the run was cancelled by ann (no flour) at 04:00:00Z");
}

BOOST_AUTO_TEST_CASE(a_call_says_where_it_goes_without_what_may_be_a_secret) {
  const call_variables variables{{"oven", "http://baker:secret@oven.local:8080/v1"}};
  const auto place = [&](call_spec call) {
    fed_run run(workflow_builder().step("a").call(std::move(call)).build());
    return explain(run.state, {run.now, variables}).waits[0].place;
  };
  BOOST_TEST(
    place(http_call{"POST", "${oven}/loaves/{run.id}?token=secret", {}}).starts_with("POST ${oven}/loaves/01900000-"));
  BOOST_TEST(place(http_call{"PUT", "${oven}/loaves?token=secret#x", {}}) == "PUT ${oven}/loaves");
  BOOST_TEST(place(http_call{"GET", "${nobody}/loaves", {}}) == "GET ${nobody}/loaves");
  BOOST_TEST(place(http_call{"GET", "http://oven.local/a@b", {}}) == "GET http://oven.local/a@b");
  BOOST_TEST(place(function_call{"bake"}) == "function bake");
  BOOST_TEST(place(worker_call{"mixing"}) == "worker kind mixing");
}

BOOST_AUTO_TEST_CASE(a_kind_that_no_worker_offers_is_what_the_run_waits_for) {
  fed_run run(workflow_builder().step("a").call(worker_call{"mixing"}).attempts(3).build());
  run.fail("a", retryable(no_worker_message("mixing")));
  BOOST_TEST(
    said(run) == "the run is running; 0 of 1 steps have succeeded\n"
                 "worker: step a: no worker offers steps of kind 'mixing'; attempt 2 is due at 04:00:01Z");
  // Another failure of such a call is a failure.
  run.wait(1s);
  run.fail("a", retryable("the worker dropped the dough"));
  BOOST_TEST(explain(run.state, {run.now}).waits[0].kind == "retry");
}

BOOST_AUTO_TEST_CASE(a_call_that_was_taken_over_has_its_time_again) {
  fed_run run(flow());
  const auto again = run.now + 1min;
  const auto told = explain(run.state, {again + 5s, {}, std::vector{call_in_hand{{0, 1, false}, again, true}}});
  BOOST_TEST(
    told.waits[0].text == "step a: attempt 1, simulated call, is out since 04:00:00Z and was made again at 04:01:00Z, "
                          "when the run was taken up; its deadline is 04:01:30Z");
  BOOST_TEST((told.waits[0].since == run.now));
  BOOST_TEST((told.waits[0].until == again + 30s));
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_its_turn_is_no_work_yet) {
  fed_run run(flow());
  call_in_hand hand{{0, 1, false}, run.now, false, std::nullopt, true};
  const auto waits = explain(run.state, {run.now + 5s, {}, std::vector{hand}}).waits[0];
  BOOST_TEST(waits.kind == "queue");
  BOOST_TEST(
    waits.text == "step a: attempt 1, simulated call, waits since 04:00:00Z for its turn among the calls of this node; "
                  "it waits as long as that takes (queue_timeout is not set)");
  BOOST_TEST((waits.since == run.now));
  BOOST_TEST(!waits.until.has_value());

  hand.waits = false;
  hand.in_flight_since = run.now + 10s;
  hand.queued = 10s;
  const auto works = explain(run.state, {run.now + 15s, {}, std::vector{hand}}).waits[0];
  BOOST_TEST(works.kind == "call");
  BOOST_TEST(
    works.text == "step a: attempt 1, simulated call, is at work since 04:00:10Z, after it waited 10s; its deadline is "
                  "04:00:40Z");
  BOOST_TEST((works.since == run.now + 10s));
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_turn_has_an_end_where_the_step_sets_one) {
  fed_run run(workflow_builder().step("a").queue_timeout(1min).build());
  const call_in_hand hand{{0, 1, false}, run.now, false, std::nullopt, true};
  const auto waits = explain(run.state, {run.now + 5s, {}, std::vector{hand}}).waits[0];
  BOOST_TEST(waits.kind == "queue");
  BOOST_TEST(waits.text.ends_with("; it waits until 04:01:00Z (queue_timeout)"), waits.text);
  BOOST_TEST((waits.until == run.now + 1min));
}

BOOST_AUTO_TEST_CASE(a_call_that_nobody_makes_yet_waits_for_the_database) {
  fed_run run(flow());
  const auto told = explain(run.state, {run.now, {}, std::vector<call_in_hand>{}});
  BOOST_TEST(told.waits[0].kind == "database");
  BOOST_TEST(
    told.waits[0].text == "step a: attempt 1, simulated call, begins once what it follows from is in the database");
}

BOOST_AUTO_TEST_CASE(an_ended_run_that_needs_a_person_says_why) {
  fed_run run(workflow_builder().step("a").compensated(1).step("b").needs({"a"}).build());
  run.succeed("a", "1");
  run.fail("b");
  run.fail_undo("a");
  const auto told = explain(run.state, {run.now});
  BOOST_TEST(told.waits.back().kind == "attention");
  BOOST_TEST(
    told.waits.back().text ==
    "a person has to look at it: the compensation of step a failed after 1 attempt: HTTP 400");
}

BOOST_AUTO_TEST_CASE(times_of_other_days_carry_their_date) {
  fed_run run(workflow_builder().step("a").build());
  auto told = explain(run.state, {night() + 24h});
  BOOST_TEST(
    told.waits[0].text == "step a: attempt 1, simulated call, is out since 2026-11-23T04:00:00Z; its deadline is "
                          "2026-11-23T04:00:30Z");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
