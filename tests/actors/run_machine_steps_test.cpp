// How steps begin, succeed, are tried again, fail and are skipped, and how that ends a run.
#include <boost/test/unit_test.hpp>

#include "actors/run_machine/output.hpp"
#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

BOOST_AUTO_TEST_SUITE(run_machine_steps_test)

BOOST_AUTO_TEST_CASE(nothing_is_called_before_a_slot_is_granted) {
  fed_run run(workflow_builder().step("a").build(), false);
  BOOST_TEST(run.state.seq == 1);
  BOOST_TEST(calls_out(run.state).empty());
  run.feed(slot_granted{});
  BOOST_TEST(run.told() == "run_started");
  BOOST_TEST(run.asked() == "begin(a 1)");
}

BOOST_AUTO_TEST_CASE(a_second_slot_changes_nothing) {
  fed_run run(workflow_builder().step("a").build());
  run.feed(slot_granted{});
  BOOST_TEST(run.told() == "");
  BOOST_TEST(run.asked() == "");
}

BOOST_AUTO_TEST_CASE(steps_without_needs_begin_together) {
  fed_run run(workflow_builder().step("a").step("b").step("c").needs({"a", "b"}).build());
  BOOST_TEST(run.asked() == "begin(a 1) begin(b 1)");
  run.succeed("a");
  BOOST_TEST(run.asked() == "");
  run.succeed("b");
  BOOST_TEST(run.asked() == "begin(c 1)");
  run.succeed("c");
  BOOST_TEST(run.told() == "step_succeeded(c) run_completed");
}

BOOST_AUTO_TEST_CASE(a_step_after_another_begins_however_that_one_ended) {
  fed_run run(workflow_builder().step("a").proceeds().step("b").after({"a"}).build());
  run.fail("a");
  BOOST_TEST(run.told() == "step_failed(a)");
  BOOST_TEST(run.asked() == "begin(b 1)");
  run.succeed("b");
  BOOST_TEST(run.told() == "step_succeeded(b) run_partially_succeeded");
}

BOOST_AUTO_TEST_CASE(what_needs_a_failed_step_is_skipped_all_the_way_down) {
  fed_run run(workflow_builder()
                .step("a")
                .proceeds()
                .step("b")
                .needs({"a"})
                .step("c")
                .needs({"b"})
                .step("d")
                .after({"c"})
                .build());
  run.fail("a");
  BOOST_TEST(run.told() == "step_failed(a) step_skipped(b) step_skipped(c)");
  BOOST_TEST(run.asked() == "begin(d 1)");
  BOOST_TEST(run.step("b").skip_reason == "it needs a, which failed");
  BOOST_TEST(run.step("c").skip_reason == "it needs b, which was skipped");
}

BOOST_AUTO_TEST_CASE(the_first_attempt_begins_with_the_event_that_freed_the_step) {
  fed_run run(workflow_builder().step("a").step("b").needs({"a"}).build());
  run.now += 5s;
  run.succeed("a");
  BOOST_TEST((run.step("b").started_at == night() + 5s));
  BOOST_TEST((run.step("b").attempt_started_at == night() + 5s));
  BOOST_TEST((run.step("a").ended_at == night() + 5s));
}

BOOST_AUTO_TEST_CASE(a_failed_attempt_is_repeated_after_its_wait) {
  fed_run run(workflow_builder().step("a").attempts(3).build());
  run.fail("a", retryable());
  BOOST_TEST(run.told() == "attempt_failed(a)");
  BOOST_TEST((next_due(run.state) == night() + 1s));
  run.wait(999ms);
  BOOST_TEST(run.told() == "");
  run.wait(1ms);
  BOOST_TEST(run.told() == "attempt_started(a)");
  BOOST_TEST(run.asked() == "begin(a 2)");
  BOOST_TEST(!next_due(run.state).has_value());
}

BOOST_AUTO_TEST_CASE(a_timeout_is_repeated_as_well) {
  fed_run run(workflow_builder().step("a").attempts(2).build());
  run.fail("a", {call_failure::kind_type::timeout, "no answer in 30s", std::nullopt});
  BOOST_TEST(run.told() == "attempt_failed(a)");
}

BOOST_AUTO_TEST_CASE(the_last_attempt_fails_the_step_and_the_run) {
  fed_run run(workflow_builder().step("a").attempts(2).build());
  run.fail("a", retryable());
  run.wait(1s);
  run.fail("a", retryable("HTTP 503 again"));
  BOOST_TEST(run.told() == "step_failed(a) run_failed");
  BOOST_TEST(run.state.end_reason == "step a failed: HTTP 503 again");
}

BOOST_AUTO_TEST_CASE(failures_for_good_are_not_repeated) {
  using kind = call_failure::kind_type;
  for (auto failure : {kind::final, kind::invalid_output, kind::rejected, kind::abandoned}) {
    fed_run run(workflow_builder().step("a").attempts(5).build());
    run.fail("a", {failure, "no", std::nullopt});
    BOOST_TEST(run.told() == "step_failed(a) run_failed");
  }
}

BOOST_AUTO_TEST_CASE(answers_to_attempts_that_are_not_out_change_nothing) {
  fed_run run(workflow_builder().step("a").attempts(3).step("b").needs({"a"}).build());
  run.fail("a", retryable());
  run.wait(1s);
  auto before = run.state;
  for (const call_answered& late :
       {call_answered{0, 1, false, "{}"}, call_answered{0, 3, false, "{}"}, call_answered{0, 2, true, "{}"},
        call_answered{1, 1, false, "{}"}, call_answered{1, 0, false, "{}"}, call_answered{9, 1, false, "{}"}}) {
    run.feed(late);
    BOOST_TEST(run.told() == "");
    BOOST_TEST(!run.last.refusal.has_value());
    BOOST_TEST((run.state == before));
  }
}

BOOST_AUTO_TEST_CASE(an_answer_that_cannot_be_used_fails_the_step_for_good) {
  fed_run run(workflow_builder().step("a").attempts(5).record("quality_score", "/q").build());
  run.succeed("a", R"({"q": 101})");
  BOOST_TEST(run.told() == "step_failed(a) run_failed");
  BOOST_TEST((run.step("a").failure->kind == call_failure::kind_type::invalid_output));
  BOOST_TEST(run.step("a").failure->message.find("quality_score") != std::string::npos);
  BOOST_TEST(run.step("a").failure->message.find("101") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_failure_stops_the_run_until_what_is_out_has_answered) {
  fed_run run(workflow_builder().step("a").step("b").step("c").attempts(3).step("d").needs({"b"}).build());
  run.fail("c", retryable());
  run.fail("a");
  BOOST_TEST(run.told() == "step_failed(a)");
  BOOST_TEST((run.state.phase == run_phase::stopping));
  BOOST_TEST((run.step("c").phase == step_phase::failed)); // what backs off is given up
  BOOST_TEST(!next_due(run.state).has_value());
  run.succeed("b");
  BOOST_TEST(run.told() == "step_succeeded(b) run_failed");
  BOOST_TEST((run.step("d").phase == step_phase::waiting));
}

BOOST_AUTO_TEST_CASE(a_failure_while_stopping_is_not_repeated) {
  fed_run run(workflow_builder().step("a").step("b").attempts(9).build());
  run.fail("a");
  run.fail("b", retryable());
  BOOST_TEST(run.told() == "step_failed(b) run_failed");
  BOOST_TEST(run.state.end_reason == "step a failed: HTTP 400");
}

BOOST_AUTO_TEST_CASE(a_stop_gives_up_calls_whose_effect_is_none) {
  fed_run run(workflow_builder().step("a").step("b").effect_none().step("c").build());
  run.fail("a");
  BOOST_TEST(run.asked() == "abandon(b 1) withdraw(c 1)");
  run.fail("b", {call_failure::kind_type::abandoned, "given up", std::nullopt});
  BOOST_TEST(run.told() == "step_failed(b)");
  BOOST_TEST(run.asked() == "");
}

BOOST_AUTO_TEST_CASE(messages_of_failures_become_one_clean_line) {
  fed_run run(workflow_builder().step("a").build());
  run.fail("a", final_failure(std::string("  HTTP 500\r\nFlour\0is \xC3 out ", 27) + std::string(5000, 'x')));
  const auto& message = run.step("a").failure->message;
  BOOST_TEST(message.substr(0, 31) == "HTTP 500 Flour is \xEF\xBF\xBD out xxxxx");
  BOOST_TEST(message.size() == message_bytes_max);
}

BOOST_AUTO_TEST_CASE(decisions_leave_the_state_alone_and_repeat_themselves) {
  fed_run run(workflow_builder().step("a").step("b").needs({"a"}).build());
  auto before = run.state;
  call_answered answer{0, 1, false, std::string("{}")};
  auto first = run.ask(answer);
  auto second = run.ask(answer);
  BOOST_TEST((run.state == before));
  BOOST_TEST((first.events == second.events));
  BOOST_TEST((first.effects == second.effects));
}

BOOST_AUTO_TEST_CASE(what_is_out_can_be_asked_after_a_crash) {
  fed_run run(workflow_builder().step("a").step("b").step("c").needs({"a"}).build());
  run.succeed("a");
  auto out = calls_out(run.state);
  BOOST_TEST((out == std::vector<begin_call>{{1, 1, false}, {2, 1, false}}));
}

BOOST_AUTO_TEST_CASE(the_results_of_a_run_have_a_limit_together) {
  workflow_builder builder;
  for (int i = 0; i < 65; ++i)
    builder.step("s" + std::to_string(i));
  fed_run run(builder.build());
  const auto large = '"' + std::string(output_bytes_max - 2, 'x') + '"';
  for (int i = 0; i < 64; ++i)
    run.succeed("s" + std::to_string(i), large);
  BOOST_TEST((run.step("s63").phase == step_phase::succeeded));
  run.succeed("s64", "1");
  BOOST_TEST_REQUIRE(run.step("s64").failure.has_value());
  BOOST_TEST((run.step("s64").failure->kind == call_failure::kind_type::invalid_output));
  BOOST_TEST(
    run.step("s64").failure->message ==
    "the results of the run would have 67108865 bytes with this one; at most 67108864 are allowed (results_bytes_max)");
}

BOOST_AUTO_TEST_CASE(an_outcome_keeps_who_had_the_attempt_and_how_long_it_waited) {
  const auto answers = [](fed_run& run, bool undo, std::variant<std::string, call_failure> result) {
    const auto attempt = undo ? run.state.steps[0].undo_attempt : run.state.steps[0].attempt;
    const auto decided = run.feed(call_answered{0, attempt, undo, std::move(result), "oven\n1", 2s + 700us});
    return decided.events.at(0);
  };
  fed_run run(workflow_builder().step("a").compensated().attempts(2).step("b").needs({"a"}).build());
  const auto failed = answers(run, false, retryable());
  BOOST_TEST((failed.kind == event_kind::attempt_failed));
  run.wait(1min);
  const auto done = answers(run, false, "{}");
  BOOST_TEST((done.kind == event_kind::step_succeeded));
  run.fail("b");
  const auto undone = answers(run, true, "{}");
  BOOST_TEST((undone.kind == event_kind::step_compensated));
  for (const auto& each : {failed, done, undone}) {
    BOOST_TEST(each.worker == "oven 1");
    // Below a millisecond is no wait.
    BOOST_TEST((each.queued == 2s));
  }
}

BOOST_AUTO_TEST_CASE(what_was_withdrawn_tells_of_no_wait) {
  fed_run run(workflow_builder().step("a").build());
  run.feed(cancel_asked{"ann", ""});
  const auto decided = run.feed(call_answered{
    0, 1, false, call_failure{call_failure::kind_type::withdrawn, "nobody was given it", std::nullopt}, {}, 2s});
  BOOST_TEST((decided.events.at(0).kind == event_kind::attempt_withdrawn));
  BOOST_TEST((decided.events.at(0).queued == duration(0)));
  BOOST_TEST(encode_event(decided.events.at(0), *run.state.workflow).body == "");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
