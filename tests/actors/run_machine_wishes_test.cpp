// Cancel, pause, resume and retry: what each does in every phase, and the sentence where it cannot be.
#include <boost/test/unit_test.hpp>

#include <functional>

#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

namespace {

workflow_ptr flow() {
  return workflow_builder().step("a").compensated().step("b").needs({"a"}).attempts(2).step("c").build();
}

fed_run pending() {
  return fed_run(flow(), false);
}
fed_run running() {
  return fed_run(flow());
}
fed_run paused() {
  auto run = running();
  run.feed(pause_asked{"ann"});
  return run;
}
fed_run stopping() {
  auto run = running();
  run.fail("c");
  return run;
}
fed_run compensating() {
  auto run = stopping();
  run.succeed("a");
  return run;
}
fed_run failed() {
  auto run = compensating();
  run.undo("a");
  return run;
}
fed_run completed() {
  auto run = running();
  run.succeed("a");
  run.succeed("b");
  run.succeed("c");
  return run;
}
fed_run cancelling() {
  auto run = running();
  run.feed(cancel_asked{"ann", ""});
  return run;
}
fed_run cancelled() {
  auto run = pending();
  run.feed(cancel_asked{"ann", ""});
  return run;
}
fed_run partial() {
  fed_run run(workflow_builder().step("a").proceeds().build());
  run.fail("a");
  return run;
}
fed_run waiting_for_retry() {
  fed_run run(workflow_builder().run_retries(2).step("a").compensated().step("b").needs({"a"}).build());
  run.succeed("a");
  run.fail("b");
  return run;
}

struct row {
  const char* where;
  fed_run (*make)();
  /// The events of each wish; empty where it is refused.
  const char* cancel;
  const char* pause;
  const char* resume;
  const char* retry;
};

// Every phase beside every wish.
const row table[] = {
  {"pending", pending, "cancel_requested run_cancelled", "run_paused", "", ""},
  {"running", running, "cancel_requested", "run_paused", "", ""},
  {"paused", paused, "cancel_requested", "", "run_resumed", ""},
  {"stopping", stopping, "", "run_paused", "", ""},
  {"compensating", compensating, "", "run_paused", "", ""},
  {"waiting_for_retry", waiting_for_retry, "cancel_requested compensation_started", "run_paused", "", "run_retried"},
  {"cancelling", cancelling, "", "run_paused", "", ""},
  {"failed", failed, "", "", "", "run_retried"},
  {"partial", partial, "", "", "", "run_retried"},
  {"completed", completed, "", "", "", ""},
  {"cancelled", cancelled, "", "", "", ""},
};

void check_wish(const row& line, const run_input& wish, const std::string& expected) {
  auto run = line.make();
  auto before = run.state;
  run.feed(wish);
  BOOST_TEST(run.told() == expected);
  BOOST_TEST(run.last.refusal.has_value() == expected.empty());
  if (expected.empty()) {
    BOOST_TEST(run.last.effects.empty());
    BOOST_TEST((run.state == before));
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_machine_wishes_test)

BOOST_AUTO_TEST_CASE(every_wish_is_granted_or_refused_in_every_phase) {
  for (const auto& line : table) {
    BOOST_TEST_CONTEXT(line.where) {
      check_wish(line, cancel_asked{"bob", "no flour"}, line.cancel);
      check_wish(line, pause_asked{"bob"}, line.pause);
      check_wish(line, resume_asked{"bob"}, line.resume);
      check_wish(line, retry_asked{"bob"}, line.retry);
    }
  }
}

BOOST_AUTO_TEST_CASE(refusals_are_sentences_that_say_why) {
  BOOST_TEST(
    *completed().ask(cancel_asked{}).refusal ==
    "the run has completed; only a run that has not ended can be cancelled");
  BOOST_TEST(*paused().ask(pause_asked{}).refusal == "the run is paused already, by ann");
  BOOST_TEST(*running().ask(resume_asked{}).refusal == "the run is not paused; only a paused run can be resumed");
  BOOST_TEST(
    *running().ask(retry_asked{}).refusal ==
    "the run is running; only a run that failed, or waits for its automatic retry, can be retried");
  BOOST_TEST(*cancelling().ask(cancel_asked{}).refusal == "the run is being cancelled already");
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_awaits_what_is_out_and_undoes_it) {
  auto run = running();
  run.feed(cancel_asked{"bob", "no\nflour"});
  BOOST_TEST((run.state.phase == run_phase::stopping));
  BOOST_TEST(run.state.cancel_reason == "no flour");
  run.fail("c", retryable());
  BOOST_TEST(run.told() == "step_failed(c)");
  run.succeed("a");
  BOOST_TEST(run.told() == "step_succeeded(a) compensation_started");
  run.undo("a");
  BOOST_TEST(run.told() == "step_compensated(a) run_cancelled");
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_is_not_retried_by_itself) {
  fed_run run(workflow_builder().run_retries(5).step("a").build());
  run.feed(cancel_asked{"bob", ""});
  run.fail("a");
  BOOST_TEST(run.told() == "step_failed(a) run_cancelled");
}

BOOST_AUTO_TEST_CASE(cancelling_ends_a_pause) {
  auto run = paused();
  run.feed(cancel_asked{"bob", ""});
  BOOST_TEST(!run.state.paused);
  run.fail("c");
  run.succeed("a");
  BOOST_TEST(run.asked() == "undo(a 1)");
}

BOOST_AUTO_TEST_CASE(nothing_begins_during_a_pause_but_answers_are_taken) {
  auto run = paused();
  run.succeed("a");
  BOOST_TEST(run.told() == "step_succeeded(a)");
  BOOST_TEST(run.asked() == "");
  BOOST_TEST((run.step("b").phase == step_phase::ready));
  run.now += 7s;
  run.feed(resume_asked{"ann"});
  BOOST_TEST(run.asked() == "begin(b 1)");
  BOOST_TEST((run.step("b").started_at == night() + 7s));
}

BOOST_AUTO_TEST_CASE(due_attempts_wait_for_the_end_of_a_pause) {
  auto run = running();
  run.succeed("a");
  run.fail("b", retryable());
  run.feed(pause_asked{"ann"});
  BOOST_TEST(!next_due(run.state).has_value());
  run.wait(1h);
  BOOST_TEST(run.told() == "");
  run.feed(resume_asked{"ann"});
  BOOST_TEST(run.told() == "run_resumed attempt_started(b)");
  BOOST_TEST(run.asked() == "begin(b 2)");
}

BOOST_AUTO_TEST_CASE(an_early_resume_leaves_the_wait_as_it_was) {
  auto run = running();
  run.succeed("a");
  run.fail("b", retryable());
  run.feed(pause_asked{"ann"});
  run.feed(resume_asked{"ann"});
  BOOST_TEST(run.told() == "run_resumed");
  BOOST_TEST((next_due(run.state) == night() + 1s));
}

BOOST_AUTO_TEST_CASE(compensations_wait_for_the_end_of_a_pause) {
  auto run = stopping();
  run.feed(pause_asked{"ann"});
  run.succeed("a");
  BOOST_TEST(run.told() == "step_succeeded(a) compensation_started");
  BOOST_TEST(run.asked() == "");
  run.feed(resume_asked{"ann"});
  BOOST_TEST(run.asked() == "undo(a 1)");
}

BOOST_AUTO_TEST_CASE(a_due_retry_of_the_run_waits_for_the_end_of_a_pause) {
  auto run = waiting_for_retry();
  run.feed(pause_asked{"ann"});
  run.wait(1h);
  BOOST_TEST(run.told() == "");
  run.feed(resume_asked{"ann"});
  BOOST_TEST(run.told() == "run_resumed run_retried");
  BOOST_TEST(run.asked() == "begin(b 2)");
}

BOOST_AUTO_TEST_CASE(a_pending_run_can_be_paused_and_keeps_its_slot) {
  auto run = pending();
  run.feed(pause_asked{"ann"});
  run.feed(slot_granted{});
  BOOST_TEST(run.told() == "run_started");
  BOOST_TEST(run.asked() == "");
  run.feed(resume_asked{"ann"});
  BOOST_TEST(run.asked() == "begin(a 1) begin(c 1)");
}

BOOST_AUTO_TEST_CASE(a_paused_run_can_end) {
  fed_run run(workflow_builder().step("a").build());
  run.feed(pause_asked{"ann"});
  run.succeed("a");
  BOOST_TEST(run.told() == "step_succeeded(a) run_completed");
  BOOST_TEST(!run.state.paused);
}

BOOST_AUTO_TEST_CASE(a_cancellation_cut_in_two_is_completed_when_a_slot_comes) {
  // Whatever cut the journal, the run must not begin and must not be stuck.
  for (const run_input& next : {run_input(slot_granted{}), run_input(pause_asked{"ann"})}) {
    fed_run run(flow(), false);
    auto decided = run.ask(cancel_asked{"ann", "no flour"});
    BOOST_TEST_REQUIRE(decided.events.size() == 2u);
    evolve(run.state, decided.events.front());
    run.feed(next);
    BOOST_TEST((run.state.ended_as == run_status::cancelled));
    BOOST_TEST((run.events.back().kind == event_kind::run_cancelled));
  }
}

BOOST_AUTO_TEST_CASE(an_ended_run_takes_no_slot_no_answer_and_no_time) {
  for (auto make : {completed, failed, cancelled, partial}) {
    auto run = make();
    auto before = run.state;
    run.feed(slot_granted{});
    run.feed(call_answered{0, 1, false, std::string("{}")});
    run.feed(call_answered{0, 1, true, std::string("{}")});
    run.wait(24h);
    BOOST_TEST((run.state == before));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
