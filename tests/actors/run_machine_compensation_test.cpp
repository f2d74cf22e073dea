// What succeeded is undone in reverse when a run fails or is cancelled.
#include <boost/test/unit_test.hpp>

#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

namespace {

workflow_ptr three_and_a_last() {
  return workflow_builder()
    .step("a")
    .compensated()
    .step("b")
    .compensated()
    .step("c")
    .step("last")
    .needs({"a", "b", "c"})
    .build();
}

/// `b` succeeded before `a`; then `last` failed.
fed_run compensating_run() {
  fed_run run(three_and_a_last());
  run.succeed("b");
  run.succeed("a");
  run.succeed("c");
  run.fail("last");
  return run;
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_machine_compensation_test)

BOOST_AUTO_TEST_CASE(steps_are_undone_one_by_one_the_last_success_first) {
  auto run = compensating_run();
  BOOST_TEST(run.told() == "step_failed(last) compensation_started");
  BOOST_TEST(run.asked() == "undo(a 1)");
  run.undo("a");
  BOOST_TEST(run.told() == "step_compensated(a)");
  BOOST_TEST(run.asked() == "undo(b 1)");
  run.undo("b");
  BOOST_TEST(run.told() == "step_compensated(b) run_failed");
}

BOOST_AUTO_TEST_CASE(a_failed_attempt_to_undo_is_repeated_before_any_other) {
  auto run = compensating_run();
  run.fail_undo("a", retryable());
  BOOST_TEST(run.told() == "compensation_attempt_failed(a)");
  BOOST_TEST(run.asked() == "");
  BOOST_TEST((next_due(run.state) == night() + 1s));
  run.wait(1s);
  BOOST_TEST(run.told() == "compensation_attempt_started(a)");
  BOOST_TEST(run.asked() == "undo(a 2)");
}

BOOST_AUTO_TEST_CASE(a_compensation_that_fails_for_good_is_told_and_the_others_go_on) {
  auto run = compensating_run();
  run.fail_undo("a", final_failure("HTTP 409"));
  BOOST_TEST(run.told() == "compensation_failed(a)");
  BOOST_TEST(run.asked() == "undo(b 1)");
  run.undo("b");
  BOOST_TEST(run.told() == "step_compensated(b) run_failed");
  BOOST_TEST(*audit_of(run.state).attention == "the compensation of step a failed after 1 attempt: HTTP 409");
}

BOOST_AUTO_TEST_CASE(the_last_attempt_to_undo_fails_the_compensation) {
  auto run = compensating_run();
  run.fail_undo("a", retryable());
  run.wait(1s);
  run.fail_undo("a", retryable());
  BOOST_TEST(run.told() == "compensation_failed(a)");
}

BOOST_AUTO_TEST_CASE(what_succeeds_while_stopping_is_undone_too) {
  fed_run run(workflow_builder().step("a").compensated().step("b").build());
  run.fail("b");
  BOOST_TEST(run.told() == "step_failed(b)");
  run.succeed("a");
  BOOST_TEST(run.told() == "step_succeeded(a) compensation_started");
  BOOST_TEST(run.asked() == "undo(a 1)");
}

BOOST_AUTO_TEST_CASE(what_never_succeeded_is_not_undone) {
  fed_run run(workflow_builder().step("a").compensated().step("b").needs({"a"}).compensated().build());
  run.succeed("a");
  run.fail("b");
  BOOST_TEST(run.asked() == "undo(a 1)");
  run.undo("a");
  BOOST_TEST(run.told() == "step_compensated(a) run_failed");
}

BOOST_AUTO_TEST_CASE(without_anything_to_undo_there_is_no_compensation) {
  fed_run run(workflow_builder().step("a").step("b").needs({"a"}).build());
  run.succeed("a");
  run.fail("b");
  BOOST_TEST(run.told() == "step_failed(b) run_failed");
}

BOOST_AUTO_TEST_CASE(partial_success_undoes_nothing) {
  fed_run run(workflow_builder().step("a").compensated().step("b").needs({"a"}).proceeds().build());
  run.succeed("a");
  run.fail("b");
  BOOST_TEST(run.told() == "step_failed(b) run_partially_succeeded");
}

BOOST_AUTO_TEST_CASE(late_answers_of_compensations_change_nothing) {
  auto run = compensating_run();
  auto before = run.state;
  run.feed(call_answered{0, 7, true, std::string()});
  run.feed(call_answered{1, 1, true, std::string()});
  run.feed(call_answered{0, 1, false, std::string("{}")});
  BOOST_TEST((run.state == before));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
