// A run that stops: what never began is withdrawn, what may have happened is awaited, undone or flagged.
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "actors/run_machine/explain.hpp"
#include "actors/run_machine/prepare_call.hpp"
#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

namespace {

/// `a` has succeeded and can be undone; `b` and `c` are out, `c` can be undone too.
fed_run two_out(bool in_doubt = false) {
  workflow_builder builder;
  builder.step("a").compensated().step("b").needs({"a"}).step("c").needs({"a"}).compensated();
  if (in_doubt)
    builder.undone_in_doubt();
  fed_run run(builder.build());
  run.succeed("a");
  return run;
}

nlohmann::json details_of(const run_state& state) {
  return nlohmann::json::parse(audit_of(state).error_details.value_or("null"));
}

const std::string run_text = "01900000-0000-7000-8000-000000000001";

} // namespace

BOOST_AUTO_TEST_SUITE(run_machine_stops_test)

// ---- what never began -------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_failure_asks_the_other_calls_back) {
  auto run = two_out();
  run.fail("b");
  BOOST_TEST(run.told() == "step_failed(b)");
  BOOST_TEST(run.asked() == "withdraw(c 1)");
}

BOOST_AUTO_TEST_CASE(a_cancellation_reaches_the_calls_that_are_out) {
  auto run = two_out();
  run.feed(cancel_asked{"ann", ""});
  BOOST_TEST(run.asked() == "cancel(b 1) cancel(c 1)");
}

BOOST_AUTO_TEST_CASE(a_withdrawn_step_never_began_and_needs_no_undoing) {
  auto run = two_out();
  run.fail("b");
  run.withdraw("c");
  BOOST_TEST(run.told() == "attempt_withdrawn(c) compensation_started");
  BOOST_TEST(run.asked() == "undo(a 1)");
  BOOST_TEST((run.step("c").phase == step_phase::waiting));
  BOOST_TEST(run.step("c").attempt == 0u);
  BOOST_TEST(!run.step("c").started_at.has_value());
  run.undo("a");
  BOOST_TEST((run.state.ended_as == run_status::failed));
  BOOST_TEST(!audit_of(run.state).attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_withdrawn_later_attempt_leaves_the_failure_of_the_one_before) {
  fed_run run(workflow_builder().step("a").attempts(3).step("b").build());
  run.fail("a", retryable("HTTP 503"));
  run.wait(1s);
  BOOST_TEST(run.step("a").attempt == 2u);
  run.fail("b");
  run.withdraw("a");
  BOOST_TEST((run.state.phase == run_phase::ended));
  BOOST_TEST((run.step("a").phase == step_phase::failed));
  BOOST_TEST(run.step("a").attempt == 1u);
  BOOST_TEST(run.step("a").failure->message == "HTTP 503");
}

BOOST_AUTO_TEST_CASE(a_withdrawn_step_begins_anew_when_the_run_is_retried) {
  auto run = two_out();
  run.fail("b");
  run.withdraw("c");
  run.undo("a");
  run.feed(retry_asked{"ann"});
  run.succeed("a");
  BOOST_TEST(run.asked() == "begin(b 2) begin(c 1)");
  // Nobody was ever called under the first key.
  BOOST_TEST(idempotency_key(run.state, run.index_of("c"), false) == run_text + "/c");
}

BOOST_AUTO_TEST_CASE(a_pause_takes_back_what_nobody_was_given) {
  fed_run run(workflow_builder().step("a").build());
  run.feed(pause_asked{"ann"});
  BOOST_TEST(run.asked() == "withdraw(a 1)");
  run.withdraw("a");
  BOOST_TEST(run.told() == "attempt_withdrawn(a)");
  BOOST_TEST((run.step("a").phase == step_phase::ready));
  run.feed(resume_asked{"ann"});
  BOOST_TEST(run.asked() == "begin(a 1)");
}

BOOST_AUTO_TEST_CASE(a_pause_takes_back_a_later_attempt_and_a_resume_makes_it) {
  fed_run run(workflow_builder().step("a").attempts(3).build());
  run.fail("a", retryable());
  run.wait(1s);
  run.feed(pause_asked{"ann"});
  run.withdraw("a");
  BOOST_TEST((run.step("a").phase == step_phase::backing_off));
  run.feed(resume_asked{"ann"});
  BOOST_TEST(run.told() == "run_resumed attempt_started(a)");
  BOOST_TEST(run.asked() == "begin(a 2)");
}

BOOST_AUTO_TEST_CASE(what_is_withdrawn_after_the_pause_is_over_begins_again) {
  fed_run run(workflow_builder().step("a").build());
  run.feed(pause_asked{"ann"});
  run.feed(resume_asked{"ann"});
  run.withdraw("a");
  BOOST_TEST(run.asked() == "begin(a 1)");
}

// ---- a cancellation that takes time -----------------------------------------

BOOST_AUTO_TEST_CASE(what_does_not_answer_within_the_grace_has_an_unknown_outcome) {
  auto run = two_out();
  run.feed(cancel_asked{"ann", ""});
  run.feed(cancel_grace_over{30s});
  BOOST_TEST(run.told() == "step_failed(b) step_failed(c) compensation_started");
  BOOST_TEST((run.step("b").failure->kind == call_failure::kind_type::abandoned));
  BOOST_TEST(
    run.step("b").failure->message == "the run was cancelled, and no answer came within cancel_grace, which is 30s");
  run.undo("a");
  BOOST_TEST((run.state.ended_as == run_status::cancelled));
  const auto attention = audit_of(run.state).attention.value_or("");
  BOOST_TEST(attention.find("the outcome of step b is unknown") != std::string::npos, attention);
  BOOST_TEST(attention.find(run_text + "/c") != std::string::npos, attention);
}

BOOST_AUTO_TEST_CASE(a_grace_that_is_over_changes_nothing_for_a_run_that_fails_or_undoes) {
  auto failing = two_out();
  failing.fail("b");
  BOOST_TEST(failing.ask(cancel_grace_over{30s}).events.empty());
  auto undoing = two_out();
  undoing.feed(cancel_asked{"ann", ""});
  undoing.succeed("b");
  undoing.succeed("c");
  BOOST_TEST((undoing.state.phase == run_phase::compensating));
  BOOST_TEST(undoing.ask(cancel_grace_over{30s}).events.empty());
}

BOOST_AUTO_TEST_CASE(a_terminated_run_ends_at_once_and_says_what_it_left) {
  auto run = two_out();
  run.feed(terminate_asked{"ann", "fire"});
  BOOST_TEST(run.told() == "terminate_requested run_cancelled");
  BOOST_TEST(calls_out(run.state).empty());
  const auto row = audit_of(run.state);
  BOOST_TEST((row.status == run_status::cancelled));
  BOOST_TEST(*row.error_message == "terminated by ann: fire");
  BOOST_TEST(
    *row.attention ==
    "the outcome of step b is unknown: its work may have been done under the key " + run_text +
      "/b (the run was terminated before its answer); the outcome of step c is unknown: its work may have been done "
      "under the key " +
      run_text +
      "/c (the run was terminated before its answer); the compensation of step a failed after 0 attempts: the run was "
      "terminated before it was undone");
}

BOOST_AUTO_TEST_CASE(every_run_that_has_not_ended_can_be_terminated_once) {
  fed_run pending(workflow_builder().step("a").build(), false);
  pending.feed(terminate_asked{"ann", ""});
  BOOST_TEST(pending.told() == "terminate_requested run_cancelled");
  BOOST_TEST(!audit_of(pending.state).attention.has_value());
  BOOST_TEST(
    *pending.ask(terminate_asked{"bob", ""}).refusal ==
    "the run was cancelled; only a run that has not ended can be terminated");
  auto cancelling = two_out();
  cancelling.feed(cancel_asked{"ann", ""});
  cancelling.feed(terminate_asked{"bob", ""});
  BOOST_TEST((cancelling.state.ended_as == run_status::cancelled));
  auto undoing = two_out();
  undoing.fail("b");
  undoing.succeed("c");
  BOOST_TEST((undoing.state.phase == run_phase::compensating));
  undoing.feed(terminate_asked{"bob", ""});
  BOOST_TEST((undoing.state.ended_as == run_status::cancelled));
  BOOST_TEST((undoing.step("c").undo == undo_phase::failed));
}

// ---- what may have been done ------------------------------------------------

BOOST_AUTO_TEST_CASE(a_run_that_ends_with_an_unknown_outcome_needs_attention) {
  fed_run run(workflow_builder().step("charge").record("forecasts_generated", "/count").build());
  run.fail("charge", lost_answer());
  BOOST_TEST((run.state.ended_as == run_status::failed));
  BOOST_TEST(
    *audit_of(run.state).attention ==
    "the outcome of step charge is unknown: its work may have been done under the key " + run_text +
      "/charge (no answer within 30s)");
  const auto unknown = details_of(run.state)["unknown_outcomes"];
  BOOST_TEST_REQUIRE(unknown.size() == 1u);
  BOOST_TEST(unknown[0]["step"] == "charge");
  BOOST_TEST(unknown[0]["key"] == run_text + "/charge");
  BOOST_TEST(unknown[0]["unknown_columns"].dump() == R"(["forecasts_generated"])");
}

BOOST_AUTO_TEST_CASE(an_answer_that_cannot_be_used_leaves_the_outcome_unknown) {
  fed_run run(workflow_builder().step("charge").build());
  run.succeed("charge", "not JSON");
  BOOST_TEST((run.step("charge").failure->kind == call_failure::kind_type::invalid_output));
  BOOST_TEST(run.step("charge").unknown);
  BOOST_TEST(audit_of(run.state).attention.has_value());
}

BOOST_AUTO_TEST_CASE(an_outcome_that_the_database_refused_is_unknown_if_the_call_succeeded) {
  fed_run run(workflow_builder().step("charge").build());
  const auto answered = run.ask(call_answered{0, 1, false, std::string("{}")});
  run.feed(events_refused{answered.events, "too large"});
  BOOST_TEST((run.step("charge").failure->kind == call_failure::kind_type::rejected));
  BOOST_TEST(run.step("charge").unknown);
}

BOOST_AUTO_TEST_CASE(a_later_refusal_does_not_tell_what_an_earlier_attempt_did) {
  fed_run run(workflow_builder().step("charge").attempts(3).build());
  run.fail("charge", lost_answer());
  run.wait(1s);
  run.fail("charge", final_failure("HTTP 409"));
  BOOST_TEST((run.state.ended_as == run_status::failed));
  BOOST_TEST(audit_of(run.state).attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_success_under_the_same_key_settles_the_doubt) {
  fed_run run(workflow_builder().step("charge").attempts(3).build());
  run.fail("charge", lost_answer());
  BOOST_TEST(run.step("charge").unknown);
  BOOST_TEST(!audit_of(run.state).attention.has_value());
  run.wait(1s);
  run.succeed("charge");
  BOOST_TEST(!run.step("charge").unknown);
  BOOST_TEST((run.state.ended_as == run_status::completed));
  BOOST_TEST(!audit_of(run.state).attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_plain_no_needs_no_attention) {
  fed_run run(workflow_builder().step("charge").build());
  run.fail("charge", final_failure("HTTP 402"));
  BOOST_TEST(!audit_of(run.state).attention.has_value());
  BOOST_TEST(!details_of(run.state).contains("unknown_outcomes"));
}

BOOST_AUTO_TEST_CASE(an_outcome_that_nobody_outside_sees_is_not_unknown) {
  fed_run run(workflow_builder().step("look").effect_none().build());
  run.fail("look", lost_answer());
  BOOST_TEST(!run.step("look").unknown);
  BOOST_TEST(!audit_of(run.state).attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_partial_success_with_an_unknown_outcome_needs_attention) {
  fed_run run(workflow_builder().step("a").step("notify").proceeds().record("notifications_sent", "/sent").build());
  run.succeed("a");
  run.fail("notify", lost_answer());
  BOOST_TEST((run.state.ended_as == run_status::partial_success));
  BOOST_TEST(audit_of(run.state).attention.has_value());
  BOOST_TEST(details_of(run.state)["unknown_outcomes"][0]["unknown_columns"].dump() == R"(["notifications_sent"])");
}

BOOST_AUTO_TEST_CASE(a_step_of_unknown_outcome_is_undone_if_its_definition_says_so) {
  auto run = two_out(true);
  run.fail("c", lost_answer());
  run.succeed("b");
  BOOST_TEST(run.told() == "step_succeeded(b) compensation_started");
  BOOST_TEST(run.asked() == "undo(c 1)");
  const auto prepared = prepare_call(run.state, run.index_of("c"), true, {});
  BOOST_TEST_REQUIRE(std::holds_alternative<call_request>(prepared));
  run.undo("c");
  BOOST_TEST(run.asked() == "undo(a 1)");
  run.undo("a");
  BOOST_TEST((run.state.ended_as == run_status::failed));
  BOOST_TEST(!audit_of(run.state).attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_step_that_said_no_is_not_undone_whatever_its_definition_says) {
  auto run = two_out(true);
  run.fail("c", final_failure());
  run.succeed("b");
  BOOST_TEST(run.asked() == "undo(a 1)");
}

BOOST_AUTO_TEST_CASE(an_undoing_that_needs_the_missing_result_says_so) {
  workflow_builder builder;
  builder.step("charge")
    .compensate({.call = http_call{"DELETE", "http://shop/charges/{results.charge.id}", {}}})
    .undone_in_doubt();
  fed_run run(builder.build());
  run.fail("charge", lost_answer());
  BOOST_TEST(run.asked() == "undo(charge 1)");
  const auto prepared = prepare_call(run.state, 0, true, {});
  BOOST_TEST_REQUIRE(std::holds_alternative<call_failure>(prepared));
  BOOST_TEST(
    std::get<call_failure>(prepared).message ==
    "the call's url cannot be made: {results.charge.id} has no value: the outcome of step charge is unknown, so there "
    "is no result of it");
}

BOOST_AUTO_TEST_CASE(the_body_of_an_undoing_in_doubt_has_no_result_of_the_step) {
  workflow_builder builder;
  builder.step("charge").compensate({.call = function_call{"refund"}}).undone_in_doubt();
  fed_run run(builder.build());
  run.fail("charge", lost_answer());
  const auto prepared = prepare_call(run.state, 0, true, {});
  const auto body = nlohmann::json::parse(std::get<call_request>(prepared).body);
  BOOST_TEST(body["results"].empty());
}

// ---- workers that are lost --------------------------------------------------

BOOST_AUTO_TEST_CASE(every_lost_worker_is_remembered_with_its_attempt) {
  fed_run run(workflow_builder().step("a").call(worker_call{"bake"}).attempts(2).build());
  run.feed(delivery_was_lost{0, 1, false, "oven-1"});
  run.feed(delivery_was_lost{0, 1, false, "oven-2"});
  BOOST_TEST(run.told() == "delivery_lost(a)");
  auto request = std::get<call_request>(prepare_call(run.state, 0, false, {}));
  BOOST_TEST((request.lost_workers == std::vector<std::string>{"oven-1", "oven-2"}));
  run.fail("a", lost_answer(call_failure::kind_type::retryable));
  run.wait(1s);
  request = std::get<call_request>(prepare_call(run.state, 0, false, {}));
  BOOST_TEST(request.lost_workers.empty());
}

BOOST_AUTO_TEST_CASE(a_worker_lost_with_another_attempt_changes_nothing) {
  fed_run run(workflow_builder().step("a").call(worker_call{"bake"}).build());
  BOOST_TEST(run.ask(delivery_was_lost{0, 2, false, "oven-1"}).events.empty());
  BOOST_TEST(run.ask(delivery_was_lost{0, 1, true, "oven-1"}).events.empty());
  BOOST_TEST(run.ask(delivery_was_lost{7, 1, false, "oven-1"}).events.empty());
}

// ---- attention that a person has given --------------------------------------

BOOST_AUTO_TEST_CASE(attention_is_resolved_by_a_person_with_a_note) {
  fed_run run(workflow_builder().step("charge").build());
  run.fail("charge", lost_answer());
  run.feed(resolve_asked{"ann", "refunded\nby hand"});
  BOOST_TEST(run.told() == "attention_resolved");
  BOOST_TEST(!audit_of(run.state).attention.has_value());
  const auto resolved = details_of(run.state)["attention_resolved"];
  BOOST_TEST(resolved["by"] == "ann");
  BOOST_TEST(resolved["note"] == "refunded by hand");
  BOOST_TEST(*run.ask(resolve_asked{"bob", "again"}).refusal == "its attention was resolved already, by ann");
}

BOOST_AUTO_TEST_CASE(only_an_ended_run_that_needs_attention_can_be_resolved) {
  fed_run running(workflow_builder().step("a").build());
  BOOST_TEST(
    *running.ask(resolve_asked{"ann", "x"}).refusal ==
    "the run is running; only what a run left behind at its end can be resolved");
  running.succeed("a");
  BOOST_TEST(
    *running.ask(resolve_asked{"ann", "x"}).refusal == "the run needs no attention; there is nothing to resolve");
}

BOOST_AUTO_TEST_CASE(a_resolved_run_can_be_retried_and_needs_attention_anew) {
  fed_run run(workflow_builder().step("charge").build());
  run.fail("charge", lost_answer());
  run.feed(resolve_asked{"ann", "not charged"});
  run.feed(retry_asked{"ann"});
  run.fail("charge", final_failure());
  BOOST_TEST(!audit_of(run.state).attention.has_value());
  run.feed(retry_asked{"ann"});
  run.fail("charge", lost_answer());
  BOOST_TEST(audit_of(run.state).attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_run_that_completes_after_a_retry_needs_no_attention) {
  fed_run run(workflow_builder().step("a").compensated(1).step("b").needs({"a"}).build());
  run.succeed("a");
  run.fail("b");
  run.fail_undo("a");
  BOOST_TEST(audit_of(run.state).attention.has_value());
  run.feed(retry_asked{"ann"});
  BOOST_TEST(audit_of(run.state).attention.has_value());
  run.succeed("b");
  BOOST_TEST((run.state.ended_as == run_status::completed));
  BOOST_TEST(!audit_of(run.state).attention.has_value());
}

// ---- keys after a redo ------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_step_called_again_after_a_redo_of_what_it_comes_after_gets_another_key) {
  workflow_builder builder;
  builder.step("a").compensated().step("b").needs({"a"}).step("c").step("d").after({"b"});
  fed_run run(builder.build());
  run.succeed("a");
  run.fail("b");
  run.succeed("c");
  run.undo("a");
  run.feed(retry_asked{"ann"});
  BOOST_TEST(idempotency_key(run.state, run.index_of("a"), false) == run_text + "/a/redo/1");
  BOOST_TEST(idempotency_key(run.state, run.index_of("b"), false) == run_text + "/b/redo/1");
  // This one stands, and the last one was never called.
  BOOST_TEST(idempotency_key(run.state, run.index_of("c"), false) == run_text + "/c");
  BOOST_TEST(idempotency_key(run.state, run.index_of("d"), false) == run_text + "/d");
}

BOOST_AUTO_TEST_CASE(journals_of_older_programs_keep_their_keys) {
  fed_run run(workflow_builder().step("a").compensated().step("b").needs({"a"}).build());
  run.succeed("a");
  run.fail("b");
  run.undo("a");
  auto retried = run.ask(retry_asked{"ann"});
  auto fact = retried.events.front();
  BOOST_TEST(fact.renews_keys);
  fact.renews_keys = false;
  evolve(run.state, fact);
  BOOST_TEST(idempotency_key(run.state, run.index_of("b"), false) == run_text + "/b");
}

BOOST_AUTO_TEST_CASE(an_unknown_outcome_under_a_key_that_is_used_no_more_is_not_forgotten) {
  fed_run run(workflow_builder().step("a").compensated().step("charge").needs({"a"}).build());
  run.succeed("a");
  run.fail("charge", lost_answer());
  run.undo("a");
  run.feed(retry_asked{"ann"});
  run.succeed("a");
  run.succeed("charge");
  BOOST_TEST((run.state.ended_as == run_status::completed));
  BOOST_TEST(
    *audit_of(run.state).attention ==
    "the outcome of step charge is unknown: its work may have been done under the key " + run_text +
      "/charge (before the run was retried)");
  run.feed(resolve_asked{"ann", "refunded"});
  BOOST_TEST(!audit_of(run.state).attention.has_value());
}

// ---- a cancellation in the moment of completion -----------------------------

BOOST_AUTO_TEST_CASE(a_cancellation_before_the_last_answer_undoes_what_it_did) {
  fed_run run(workflow_builder().step("a").compensated().build());
  run.feed(cancel_asked{"ann", ""});
  run.succeed("a");
  BOOST_TEST(run.told() == "step_succeeded(a) compensation_started");
  run.undo("a");
  BOOST_TEST((run.state.ended_as == run_status::cancelled));
}

BOOST_AUTO_TEST_CASE(a_cancellation_after_the_last_answer_is_refused) {
  fed_run run(workflow_builder().step("a").compensated().build());
  run.succeed("a");
  BOOST_TEST(
    *run.ask(cancel_asked{"ann", ""}).refusal ==
    "the run has completed; only a run that has not ended can be cancelled");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
