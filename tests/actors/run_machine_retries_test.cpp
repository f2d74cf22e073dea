// Waits between attempts, and retries of a run as a whole.
#include <boost/test/unit_test.hpp>

#include "actors/run_machine/retry.hpp"
#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

BOOST_AUTO_TEST_SUITE(run_machine_retries_test)

BOOST_AUTO_TEST_CASE(waits_grow_up_to_the_longest) {
  retry_policy policy{.max_attempts = 1000, .initial_interval = 500ms, .backoff = 2, .max_interval = 10s, .jitter = 0};
  std::vector<duration> waits;
  for (uint32_t tries : {1u, 2u, 3u, 5u, 6u, 999u})
    waits.push_back(retry_wait(policy, tries, 0.9));
  BOOST_TEST((waits == std::vector<duration>{500ms, 1s, 2s, 8s, 10s, 10s}));
}

BOOST_AUTO_TEST_CASE(jitter_stretches_and_shortens_but_never_beyond_the_longest) {
  retry_policy policy{.initial_interval = 10s, .backoff = 1, .max_interval = 11s, .jitter = 0.2};
  BOOST_TEST((retry_wait(policy, 1, 0.0) == 8s));
  BOOST_TEST((retry_wait(policy, 1, 0.5) == 10s));
  BOOST_TEST((retry_wait(policy, 1, 0.999999) == 11s));
}

BOOST_AUTO_TEST_CASE(a_service_may_ask_for_a_longer_wait_up_to_a_limit) {
  retry_policy policy{.initial_interval = 1s, .max_interval = 5s, .jitter = 0};
  BOOST_TEST((retry_wait(policy, 1, 0, 30s) == 30s));
  BOOST_TEST((retry_wait(policy, 1, 0, 10ms) == 1s));
  BOOST_TEST((retry_wait(policy, 1, 0, 48h) == retry_after_max));
}

BOOST_AUTO_TEST_CASE(the_chance_comes_with_the_input) {
  auto flow = workflow_builder().step("a").retry({.initial_interval = 10s, .jitter = 0.5}).build();
  fed_run run(flow);
  run.random = 0;
  run.fail("a", retryable());
  BOOST_TEST((next_due(run.state) == night() + 5s));
}

BOOST_AUTO_TEST_CASE(a_failed_run_waits_to_be_tried_again_and_keeps_what_succeeded) {
  fed_run run(workflow_builder().run_retries(1).step("a").compensated().step("b").needs({"a"}).attempts(2).build());
  run.succeed("a", R"({"x":1})");
  run.fail("b");
  BOOST_TEST(run.told() == "step_failed(b) run_retry_scheduled");
  BOOST_TEST((run.state.phase == run_phase::waiting_for_retry));
  BOOST_TEST((next_due(run.state) == night() + 1min));
  run.wait(1min);
  BOOST_TEST(run.told() == "run_retried");
  BOOST_TEST(run.events.back().by == "");
  BOOST_TEST(run.asked() == "begin(b 2)");
  BOOST_TEST(run.step("a").output == R"({"x":1})");
  BOOST_TEST(run.step("b").attempts_in_round == 1u);
  run.fail("b", retryable()); // the policy's attempts count anew
  BOOST_TEST(run.told() == "attempt_failed(b)");
}

BOOST_AUTO_TEST_CASE(a_run_without_retries_left_is_compensated_and_says_so) {
  fed_run run(workflow_builder().run_retries(1).step("a").compensated().step("b").needs({"a"}).build());
  run.succeed("a");
  run.fail("b");
  run.wait(1min);
  run.fail("b");
  BOOST_TEST(run.told() == "step_failed(b) compensation_started");
  run.undo("a");
  BOOST_TEST(run.told() == "step_compensated(a) run_failed");
  BOOST_TEST(run.state.max_retries_reached);
  BOOST_TEST(run.state.retry_count == 1u);
}

BOOST_AUTO_TEST_CASE(without_a_policy_there_is_no_limit_that_was_reached) {
  fed_run run(workflow_builder().step("a").build());
  run.fail("a");
  BOOST_TEST(!run.state.max_retries_reached);
}

BOOST_AUTO_TEST_CASE(later_retries_of_a_run_wait_longer) {
  fed_run run(workflow_builder().run_retries(3).step("a").build());
  run.fail("a");
  run.wait(1min);
  run.fail("a");
  BOOST_TEST((next_due(run.state) == run.now + 2min));
  BOOST_TEST((run_retry_wait({.max = 100}, 90) == 1h));
}

BOOST_AUTO_TEST_CASE(a_person_can_hasten_the_automatic_retry) {
  fed_run run(workflow_builder().run_retries(1).step("a").build());
  run.fail("a");
  run.feed(retry_asked{"ann"});
  BOOST_TEST(run.told() == "run_retried");
  BOOST_TEST(run.events.back().by == "ann");
  BOOST_TEST(run.asked() == "begin(a 2)");
}

BOOST_AUTO_TEST_CASE(a_person_can_take_back_a_failure) {
  fed_run run(workflow_builder().step("a").step("b").needs({"a"}).step("c").needs({"b"}).build());
  run.succeed("a");
  run.fail("b");
  BOOST_TEST((run.state.ended_as == run_status::failed));
  run.feed(retry_asked{"ann"});
  BOOST_TEST(run.told() == "run_retried");
  BOOST_TEST(run.asked() == "begin(b 2)");
  BOOST_TEST(!run.state.ended_at.has_value());
  run.succeed("b");
  run.succeed("c");
  BOOST_TEST(run.told() == "step_succeeded(c) run_completed");
  BOOST_TEST(run.state.retry_count == 1u);
}

BOOST_AUTO_TEST_CASE(partial_success_can_be_retried_with_what_was_skipped) {
  fed_run run(workflow_builder().step("a").proceeds().step("b").needs({"a"}).step("c").build());
  run.fail("a");
  run.succeed("c");
  BOOST_TEST(run.told() == "step_succeeded(c) run_partially_succeeded");
  run.feed(retry_asked{"ann"});
  BOOST_TEST(run.asked() == "begin(a 2)");
  run.succeed("a");
  BOOST_TEST(run.asked() == "begin(b 1)");
  BOOST_TEST(run.step("b").skip_reason == "");
  run.succeed("b");
  BOOST_TEST(run.told() == "step_succeeded(b) run_completed");
}

BOOST_AUTO_TEST_CASE(what_was_undone_is_done_anew_under_another_key) {
  fed_run run(workflow_builder().step("a").compensated().step("b").needs({"a"}).build());
  auto id = to_string(run.state.plan.run);
  BOOST_TEST(idempotency_key(run.state, 0, false) == id + "/a");
  BOOST_TEST(idempotency_key(run.state, 0, true) == id + "/a/undo");
  run.succeed("a", "1");
  run.fail("b");
  run.undo("a");
  run.feed(retry_asked{"ann"});
  BOOST_TEST(run.asked() == "begin(a 2)");
  BOOST_TEST(run.step("a").output == "");
  BOOST_TEST(idempotency_key(run.state, 0, false) == id + "/a/redo/1");
  BOOST_TEST(idempotency_key(run.state, 0, true) == id + "/a/redo/1/undo");
  BOOST_TEST(idempotency_key(run.state, 1, false) == id + "/b/redo/1");
  run.succeed("a", "2");
  BOOST_TEST(run.asked() == "begin(b 2)");
}

BOOST_AUTO_TEST_CASE(a_step_whose_compensation_failed_stays_succeeded_when_the_run_is_retried) {
  fed_run run(workflow_builder().step("a").compensated(1).step("b").needs({"a"}).build());
  run.succeed("a", "1");
  run.fail("b");
  run.fail_undo("a");
  BOOST_TEST(run.told() == "compensation_failed(a) run_failed");
  BOOST_TEST(audit_of(run.state).attention.has_value());
  run.feed(retry_asked{"ann"});
  BOOST_TEST(run.asked() == "begin(b 2)");
  BOOST_TEST((run.step("a").phase == step_phase::succeeded));
  // What was not undone still stands, so the run stays listed until it ends well: then everything is to stand.
  const auto complaint = "the compensation of step a failed after 1 attempt: HTTP 400 (before the run was retried)";
  BOOST_TEST(audit_of(run.state).attention.value_or("") == complaint);
  run.succeed("b");
  BOOST_TEST(run.told() == "step_succeeded(b) run_completed");
  BOOST_TEST(!audit_of(run.state).attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_compensation_that_succeeds_after_a_retry_takes_its_complaint_back) {
  fed_run run(workflow_builder().step("a").compensated(1).step("b").needs({"a"}).build());
  run.succeed("a", "1");
  run.fail("b");
  run.fail_undo("a");
  run.feed(retry_asked{"ann"});
  run.fail("b");
  run.undo("a");
  BOOST_TEST(run.told() == "step_compensated(a) run_failed");
  BOOST_TEST(!audit_of(run.state).attention.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
