// What happens when the journal refuses a run's events.
#include <boost/test/unit_test.hpp>

#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

namespace {

events_refused refused(const decision& decided, std::string reason = "numeric field overflow") {
  return {decided.events, std::move(reason)};
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_machine_refused_test)

BOOST_AUTO_TEST_CASE(a_step_whose_answer_was_refused_fails_with_the_databases_words) {
  fed_run run(workflow_builder().step("a").attempts(5).build());
  run.feed(refused(run.ask(call_answered{0, 1, false, std::string("{}")}), "bad\nvalue in forecast_data"));
  BOOST_TEST(run.told() == "step_failed(a) run_failed");
  BOOST_TEST((run.step("a").failure->kind == call_failure::kind_type::rejected));
  BOOST_TEST(
    run.step("a").failure->message ==
    "the database refused what this step's answer would have written: bad value in forecast_data");
}

BOOST_AUTO_TEST_CASE(a_refused_answer_follows_the_steps_failure_policy) {
  fed_run run(workflow_builder().step("a").proceeds().step("b").after({"a"}).build());
  run.feed(refused(run.ask(call_answered{0, 1, false, std::string("{}")})));
  BOOST_TEST(run.told() == "step_failed(a)");
  BOOST_TEST(run.asked() == "begin(b 1)");
}

BOOST_AUTO_TEST_CASE(every_answer_among_refused_events_fails_its_step) {
  fed_run run(workflow_builder().step("a").proceeds().step("b").proceeds().build());
  fed_run ahead = run;
  ahead.succeed("a");
  ahead.succeed("b");
  run.feed(events_refused{{ahead.events.begin() + 2, ahead.events.end()}, "no"});
  BOOST_TEST(run.told() == "step_failed(a) step_failed(b) run_partially_succeeded");
}

BOOST_AUTO_TEST_CASE(a_refused_answer_of_a_compensation_fails_the_compensation) {
  fed_run run(workflow_builder().step("a").compensated().step("b").needs({"a"}).build());
  run.succeed("a");
  run.fail("b");
  run.feed(refused(run.ask(call_answered{0, 1, true, std::string()})));
  BOOST_TEST(run.told() == "compensation_failed(a) run_failed");
}

BOOST_AUTO_TEST_CASE(a_refused_wish_leaves_the_run_as_it_was) {
  fed_run run(workflow_builder().step("a").build());
  for (const run_input& wish : {run_input(cancel_asked{"", "bad"}), run_input(pause_asked{""})}) {
    auto decided = run.feed(refused(run.ask(wish)));
    BOOST_TEST(decided.events.empty());
    BOOST_TEST(!decided.refusal.has_value());
  }
  run.fail("a");
  auto decided = run.feed(refused(run.ask(retry_asked{"ann"})));
  BOOST_TEST(decided.events.empty());
}

BOOST_AUTO_TEST_CASE(a_failure_that_is_refused_again_ends_the_run) {
  fed_run run(workflow_builder().run_retries(3).step("a").compensated().step("b").step("c").needs({"a"}).build());
  run.succeed("a", "{}");
  auto first = run.ask(call_answered{1, 1, false, std::string("{}")});
  auto second = run.ask(refused(first));
  run.feed(refused(second));
  BOOST_TEST(run.told() == "run_failed");
  BOOST_TEST(run.asked() == "");
  BOOST_TEST(run.state.rejected);
  BOOST_TEST((run.step("c").phase == step_phase::failed));
  BOOST_TEST((run.step("a").undo == undo_phase::failed));
  BOOST_TEST(calls_out(run.state).empty());
  auto row = audit_of(run.state);
  BOOST_TEST(row.attention.has_value());
  BOOST_TEST(row.error_message->find("overflow") == std::string::npos); // nothing from outside is in the row
}

BOOST_AUTO_TEST_CASE(any_other_refused_event_ends_the_run) {
  fed_run run(workflow_builder().step("a").build(), false);
  run.feed(refused(run.ask(slot_granted{})));
  BOOST_TEST(run.told() == "run_failed");
  BOOST_TEST(run.state.end_reason == "the database refused the run's events, the first of them run_started");
}

BOOST_AUTO_TEST_CASE(when_even_the_end_is_refused_the_decision_says_so) {
  fed_run run(workflow_builder().step("a").build(), false);
  auto end = run.ask(refused(run.ask(slot_granted{})));
  auto decided = run.feed(refused(end, "no"));
  BOOST_TEST(decided.events.empty());
  BOOST_TEST(*decided.refusal == "the journal refuses the run's events: no");
}

BOOST_AUTO_TEST_CASE(a_rejected_run_leaves_its_recorded_values_out_of_its_row) {
  fed_run run(workflow_builder().step("a").record("forecasts_generated", "/n").step("b").build());
  run.succeed("a", R"({"n": 7})");
  BOOST_TEST(audit_of(run.state).forecasts_generated == 7);
  run.feed(events_refused{{}, "no"});
  BOOST_TEST(run.told() == "run_failed");
  BOOST_TEST(audit_of(run.state).forecasts_generated == 0);
  run.feed(retry_asked{"ann"});
  BOOST_TEST(run.asked() == "begin(b 2)");
  BOOST_TEST(audit_of(run.state).forecasts_generated == 7);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
