#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

BOOST_AUTO_TEST_SUITE(auditor_journal_test)

BOOST_AUTO_TEST_CASE(events_are_numbered_without_holes) {
  history hole;
  hole.begin();
  hole.write({{event_kind::run_paused}}, [](run_written& x) { ++x.events.front().seq; });
  BOOST_TEST(hole.broken() == "journal_sequence");

  history headless;
  headless.judge.saw(
    run_written{headless.now, headless.here, headless.run, 1, {{2, headless.now, event_kind::run_started, "", 0, ""}}});
  BOOST_TEST(headless.broken() == "journal_sequence");
}

BOOST_AUTO_TEST_CASE(each_event_can_follow_the_ones_before_it) {
  history twice;
  twice.begin();
  twice.write({started});
  BOOST_TEST(twice.broken() == "journal_order");

  history unasked;
  unasked.begin();
  unasked.write({completed});
  BOOST_TEST(unasked.broken() == "journal_order");

  history gives_up;
  gives_up.begin();
  gives_up.fail(gives_up.call("a"), "retryable");
  gives_up.write({{event_kind::step_failed, "a", 1, {{"kind", "retryable"}, {"message", "later"}}}});
  BOOST_TEST(gives_up.broken() == "journal_order");

  history skips;
  skips.begin();
  skips.write({{event_kind::step_skipped, "b", 0, {{"reason", "it needs a"}}}});
  BOOST_TEST(skips.broken() == "journal_order");
}

BOOST_AUTO_TEST_CASE(what_needs_a_lost_step_is_skipped_and_the_run_ends_in_part) {
  const auto goes_on = [](workflow_known& x) {
    for (auto& step : x.steps)
      step.continues = true;
  };
  const fact skipped{event_kind::step_skipped, "b", 0, {{"reason", "it needs a"}}};
  const fact in_part{event_kind::run_partially_succeeded};
  history kept(goes_on);
  kept.begin();
  kept.fail_finally("a", {skipped, in_part});
  BOOST_TEST(kept.broken() == "");

  history forgets(goes_on);
  forgets.begin();
  forgets.fail_finally("a", {in_part});
  BOOST_TEST(forgets.broken() == "journal_order");
}

BOOST_AUTO_TEST_CASE(a_journal_has_one_end) {
  history twice;
  twice.begin();
  twice.succeed("a");
  twice.succeed("b", 1, {completed, completed});
  BOOST_TEST(twice.broken() == "one_end");

  history retried;
  retried.begin();
  retried.succeed("a");
  retried.succeed("b", 1, {completed});
  retried.wish(wish_kind::retry, "ann");
  retried.write({{event_kind::run_retried, {}, 0, {{"by", "ann"}}}});
  BOOST_TEST(retried.broken() == "one_end");
}

BOOST_AUTO_TEST_CASE(attempts_are_bounded) {
  const auto tried = [](uint32_t times) {
    history x;
    x.begin();
    for (uint32_t attempt = 1; attempt <= times; ++attempt) {
      x.fail(x.call("a", attempt), "retryable");
      const auto wait = std::chrono::seconds(1 << (attempt - 1));
      x.write({x.fails_for_now("a", wait, static_cast<int32_t>(attempt))});
      x.pass(wait);
      x.write({{event_kind::attempt_started, "a", static_cast<int32_t>(attempt + 1)}});
    }
    return x.broken();
  };
  BOOST_TEST(tried(2) == "");
  BOOST_TEST(tried(3) == "attempts_bounded");
}

BOOST_AUTO_TEST_CASE(waits_are_those_of_the_policy) {
  const auto waits = [](duration span) {
    history x;
    x.begin();
    x.fail(x.call("a"), "retryable");
    x.write({x.fails_for_now("a", span)});
    return x.broken();
  };
  BOOST_TEST(waits(500ms) == "");
  BOOST_TEST(waits(1500ms) == "");
  BOOST_TEST(waits(499ms) == "backoff_kept");
  BOOST_TEST(waits(1501ms) == "backoff_kept");
  BOOST_TEST(waits(0s) == "backoff_kept");
}

BOOST_AUTO_TEST_CASE(nothing_begins_again_before_its_wait_is_over) {
  history early;
  early.begin();
  early.fail(early.call("a"), "retryable");
  early.write({early.fails_for_now("a", 1s)});
  early.pass(999ms);
  early.write({{event_kind::attempt_started, "a", 2}});
  BOOST_TEST(early.broken() == "backoff_kept");
}

BOOST_AUTO_TEST_CASE(a_run_is_retried_when_its_wait_is_over) {
  const auto retried_after = [](duration span) {
    history x([](workflow_known& workflow) {
      workflow.run_retries_max = 1;
      workflow.run_retry_wait = {60s, 2, 3600s, 0};
    });
    x.begin();
    x.fail_finally("a", {{event_kind::run_retry_scheduled, {}, 0, {{"due_at", to_rfc3339(x.now + 60s)}}}});
    x.pass(span);
    x.write({{event_kind::run_retried}});
    x.call("a", 2);
    return x.broken();
  };
  BOOST_TEST(retried_after(60s) == "");
  BOOST_TEST(retried_after(59s) == "backoff_kept");
}

BOOST_AUTO_TEST_CASE(nothing_begins_during_a_pause) {
  const fact paused{event_kind::run_paused};
  history kept;
  kept.begin();
  kept.write({paused});
  kept.succeed("a");
  BOOST_TEST(kept.broken() == "");
  kept.call("b");
  BOOST_TEST(kept.broken() == "call_after_commit");

  history resumed;
  resumed.begin();
  resumed.write({paused});
  resumed.succeed("a");
  resumed.write({{event_kind::run_resumed}});
  resumed.succeed("b", 1, {completed});
  BOOST_TEST(resumed.broken() == "");

  history retries;
  retries.begin();
  retries.fail(retries.call("a"), "retryable");
  retries.write({retries.fails_for_now("a", 1s), paused});
  retries.pass(1s);
  retries.write({{event_kind::attempt_started, "a", 2}});
  BOOST_TEST(retries.broken() == "pause_holds");
}

// ---- compensation -----------------------------------------------------------

namespace {

/// `a`, then `b`, then `c`, which fails: `a` and `b` are to be undone.
void with_a_third_step(workflow_known& workflow) {
  auto third = workflow.steps.back();
  third.name = "c";
  third.needs = {"b"};
  third.compensates = false;
  third.audit.reset();
  workflow.steps.push_back(third);
}

} // namespace

BOOST_AUTO_TEST_CASE(what_succeeded_last_is_undone_first) {
  const auto up_to_the_failure = [](history& x) {
    x.begin();
    x.succeed("a");
    x.succeed("b");
    x.fail_finally("c", {compensates});
  };
  history kept(with_a_third_step);
  up_to_the_failure(kept);
  kept.undone("b");
  kept.results.erase("b");
  kept.undone("a", {failed});
  kept.finish();
  BOOST_TEST(kept.broken() == "");

  history forward(with_a_third_step);
  up_to_the_failure(forward);
  forward.results.erase("b");
  forward.undo("a");
  BOOST_TEST(forward.broken() == "call_after_commit");
  forward.write({{event_kind::step_compensated, "a", 1}});
  BOOST_TEST(forward.broken().ends_with("compensation_order"));

  history unasked(with_a_third_step);
  unasked.begin();
  unasked.succeed("a");
  unasked.write({compensates});
  BOOST_TEST(unasked.broken() == "compensation_order");
}

BOOST_AUTO_TEST_CASE(a_run_that_fails_has_undone_what_it_can) {
  history forgets;
  forgets.begin();
  forgets.succeed("a");
  forgets.fail_finally("b", {failed});
  BOOST_TEST(forgets.broken() == "compensation_complete");

  history cancelled;
  cancelled.begin();
  cancelled.succeed("a");
  cancelled.wish(wish_kind::cancel, "ann");
  cancelled.write({{event_kind::cancel_requested, {}, 0, {{"by", "ann"}}}});
  const json output = {{"of", "b"}};
  cancelled.answer(cancelled.call("b"), output);
  cancelled.write({{event_kind::step_succeeded, "b", 1, {{"output", output}}}, {event_kind::run_cancelled}});
  BOOST_TEST(cancelled.broken() == "compensation_complete");
}

BOOST_AUTO_TEST_CASE(undoing_is_tried_as_its_policy_says) {
  history kept;
  kept.begin();
  kept.succeed("a");
  kept.fail_finally("b", {compensates});
  kept.fail(kept.undo("a"), "retryable");
  kept.write(
    {{event_kind::compensation_attempt_failed,
      "a",
      1,
      {{"kind", "retryable"}, {"message", "later"}, {"due_at", to_rfc3339(kept.now + 1s)}}}});
  kept.pass(1s);
  kept.write({{event_kind::compensation_attempt_started, "a", 2}});
  kept.fail(kept.undo("a", 2), "final");
  kept.write({{event_kind::compensation_failed, "a", 2, {{"kind", "final"}, {"message", "no"}}}, failed});
  BOOST_TEST(kept.broken() == "");

  history gives_up;
  gives_up.begin();
  gives_up.succeed("a");
  gives_up.fail_finally("b", {compensates});
  gives_up.fail(gives_up.undo("a"), "retryable");
  gives_up.write({{event_kind::compensation_failed, "a", 1, {{"kind", "retryable"}, {"message", "later"}}}, failed});
  BOOST_TEST(gives_up.broken() == "compensation_order");
}

BOOST_AUTO_TEST_SUITE_END()
