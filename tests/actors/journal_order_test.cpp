// Every way in which a journal can be out of order is found and named, and nothing else is.
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "actors/journal_order.hpp"
#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

namespace levain::test {

namespace {

using kind = event_kind;

/// Three steps in a chain, each with a compensation: mix, bake, sell. Beside them, tidy comes after sell, and may fail.
workflow_ptr chain() {
  return workflow_builder()
    .step("mix")
    .attempts(3)
    .compensated(3)
    .step("bake")
    .needs({"mix"})
    .compensated(3)
    .step("sell")
    .needs({"bake"})
    .step("tidy")
    .after({"sell"})
    .proceeds()
    .build();
}

/// A journal that a machine wrote, for a test to damage.
struct written_journal {
  explicit written_journal(const fed_run& run)
    : workflow(run.state.workflow) {
    for (const auto& fact : run.events)
      events.push_back(encode_event(fact, *workflow));
  }

  event_record& at(kind which, const std::string& step = "") {
    const auto found = std::find_if(
      events.begin(), events.end(), [&](const event_record& each) { return each.kind == which && each.step == step; });
    BOOST_REQUIRE_MESSAGE(found != events.end(), "the journal has no " << to_string(which) << " of '" << step << "'");
    return *found;
  }
  /// Without the event, and numbered anew.
  void drop(kind which, const std::string& step = "") {
    events.erase(events.begin() + (&at(which, step) - events.data()));
    number();
  }
  void swap(event_record& a, event_record& b) {
    std::swap(a, b);
    number();
  }
  void add(kind which, const std::string& step = "", int32_t attempt = 0, std::string body = "") {
    events.push_back(
      {static_cast<int32_t>(events.size()) + 1, events.back().at, which, step, attempt, std::move(body)});
  }
  void number() {
    for (size_t i = 0; i < events.size(); ++i)
      events[i].seq = static_cast<int32_t>(i) + 1;
  }

  /// That one fault names these words.
  void breaks(const std::string& words) const {
    std::string all;
    for (const auto& fault : order_faults(events, *workflow))
      all += fault.message + "\n";
    BOOST_TEST(all.find(words) != std::string::npos, "'" << words << "' is not in:\n" << all);
  }
  void holds() const { BOOST_TEST(order_faults(events, *workflow).empty()); }

  workflow_ptr workflow;
  std::vector<event_record> events;
};

fed_run completed() {
  fed_run run(chain());
  run.fail("mix", retryable());
  run.wait(std::chrono::seconds(5));
  run.succeed("mix");
  run.succeed("bake");
  run.succeed("sell");
  run.succeed("tidy");
  return run;
}

fed_run undone() {
  fed_run run(chain());
  run.succeed("mix");
  run.succeed("bake");
  run.fail("sell");
  run.fail_undo("bake", retryable());
  run.wait(std::chrono::seconds(5));
  run.undo("bake");
  run.undo("mix");
  return run;
}

} // namespace

BOOST_AUTO_TEST_SUITE(journal_order_test)

BOOST_AUTO_TEST_CASE(what_the_machine_writes_is_in_order) {
  written_journal(completed()).holds();
  written_journal(undone()).holds();
  auto retried = undone();
  retried.feed(retry_asked{"ann"});
  retried.succeed("mix");
  retried.feed(pause_asked{"ann"});
  retried.succeed("bake");
  retried.feed(resume_asked{"ann"});
  retried.feed(cancel_asked{"ann", ""});
  retried.succeed("sell");
  retried.undo("bake");
  retried.undo("mix");
  BOOST_TEST_REQUIRE(retried.told() == "step_compensated(mix) run_cancelled");
  written_journal(retried).holds();
}

BOOST_AUTO_TEST_CASE(numbers_have_no_holes_and_begin_with_one) {
  written_journal hole(completed());
  hole.events.erase(hole.events.begin() + 3);
  hole.breaks("event 5 (step_succeeded of step mix, attempt 2) is out of order: it follows event 3: there should be an "
              "event 4 between them");
  BOOST_TEST(order_faults(hole.events, *hole.workflow).size() == 1U);
  written_journal late(completed());
  late.events.erase(late.events.begin());
  late.breaks("a journal begins with event 1");
}

BOOST_AUTO_TEST_CASE(a_run_is_accepted_once_and_first) {
  written_journal other(completed());
  other.at(kind::run_accepted).kind = kind::run_started;
  other.breaks("the first event must be run_accepted");
  written_journal twice(completed());
  twice.at(kind::run_started).kind = kind::run_accepted;
  twice.breaks("a run is accepted once, by its first event");
}

BOOST_AUTO_TEST_CASE(a_run_starts_once_and_before_its_steps) {
  written_journal never(completed());
  never.drop(kind::run_started);
  never.breaks("the run has not started");
  fed_run begun(chain());
  written_journal twice(begun);
  twice.add(kind::run_started);
  twice.breaks("the run was started before");
}

BOOST_AUTO_TEST_CASE(nothing_but_a_retry_follows_the_end) {
  written_journal again(completed());
  again.add(kind::run_completed);
  again.breaks("the run ended with event 9 (run_completed); only run_retried or attention_resolved may follow");
  written_journal retried(completed());
  retried.add(kind::run_retried, "", 0, R"({"by": "ann"})");
  retried.breaks("only a person can retry, and only what failed");
  written_journal unasked(undone());
  unasked.add(kind::run_retried);
  unasked.breaks("only a person can retry, and only what failed");
}

BOOST_AUTO_TEST_CASE(an_end_is_what_the_steps_came_to) {
  written_journal early(completed());
  early.drop(kind::step_succeeded, "tidy");
  early.breaks("event 8 (run_completed) is out of order: not every step has succeeded");
  written_journal partly(completed());
  partly.at(kind::run_completed).kind = kind::run_partially_succeeded;
  partly.breaks("the steps have not ended in part");
  written_journal failed(completed());
  failed.at(kind::run_completed).kind = kind::run_failed;
  failed.breaks("no failure has stopped the run");
  written_journal cancelled(undone());
  cancelled.at(kind::run_failed).kind = kind::run_cancelled;
  cancelled.breaks("nobody has asked to cancel the run");
  written_journal left(undone());
  left.drop(kind::step_compensated, "mix");
  left.breaks("the step mix has not been undone");
}

BOOST_AUTO_TEST_CASE(attempts_are_numbered_in_order) {
  written_journal jumps(completed());
  jumps.at(kind::attempt_started, "mix").attempt = 3;
  jumps.breaks("attempt 2 should be the next");
  written_journal other(completed());
  other.at(kind::step_succeeded, "mix").attempt = 1;
  other.breaks("attempt 2 is the one that is out");
  written_journal first(completed());
  first.at(kind::step_succeeded, "bake").attempt = 2;
  first.breaks("attempt 1 is the one that is out");
}

BOOST_AUTO_TEST_CASE(no_outcome_comes_without_its_attempt) {
  written_journal unbegun(completed());
  unbegun.drop(kind::attempt_started, "mix");
  unbegun.breaks("attempt 2 has not begun; no event says so");
  written_journal unasked(completed());
  unasked.drop(kind::attempt_failed, "mix");
  unasked.breaks("no failed attempt is to be followed by another");
  written_journal twice(completed());
  twice.events.insert(twice.events.begin() + 5, twice.at(kind::step_succeeded, "mix"));
  twice.number();
  twice.breaks("the step has ended with event 5");
}

BOOST_AUTO_TEST_CASE(no_step_begins_before_what_it_needs_was_done) {
  written_journal swapped(completed());
  swapped.swap(swapped.at(kind::step_succeeded, "mix"), swapped.at(kind::step_succeeded, "bake"));
  swapped.breaks("it needs the step mix, which had not succeeded");
  written_journal after(completed());
  after.swap(after.at(kind::step_succeeded, "sell"), after.at(kind::step_succeeded, "tidy"));
  after.breaks("it comes after the step sell, which had not ended");
}

BOOST_AUTO_TEST_CASE(nothing_begins_once_the_run_was_stopped) {
  fed_run run(chain());
  run.feed(cancel_asked{"ann", ""});
  run.succeed("mix");
  written_journal begun(run);
  begun.at(kind::compensation_started) = {5, begun.events[3].at, kind::step_succeeded, "bake", 1, R"({"output": {}})"};
  begun.breaks("it was free only after event 3 had stopped the run, and can never have begun");
  written_journal again(run);
  again.at(kind::step_succeeded, "mix").kind = kind::attempt_failed;
  again.breaks("nothing is tried again");
}

BOOST_AUTO_TEST_CASE(a_step_is_skipped_for_a_reason) {
  written_journal without(completed());
  without.at(kind::step_succeeded, "tidy") = {8, without.events[6].at, kind::step_skipped, "tidy", 0, ""};
  without.breaks("every step it needs has succeeded or may still");
}

BOOST_AUTO_TEST_CASE(nothing_is_undone_before_the_run_was_stopped) {
  written_journal early(undone());
  early.drop(kind::step_failed, "sell");
  early.breaks("nothing has failed and nobody has cancelled, so there is nothing to undo");
  written_journal unsaid(undone());
  unsaid.drop(kind::compensation_started);
  unsaid.breaks("no compensation_started came before it");
}

BOOST_AUTO_TEST_CASE(only_what_succeeded_is_undone) {
  written_journal never(undone());
  never.at(kind::step_compensated, "mix").step = "sell";
  never.breaks("the step has not succeeded, so there is nothing to undo");
  never.breaks("the step has no compensation");
  written_journal twice(undone());
  twice.at(kind::step_compensated, "mix").step = "bake";
  twice.breaks("undoing the step has ended before");
}

BOOST_AUTO_TEST_CASE(what_succeeded_last_is_undone_first) {
  written_journal forward(undone());
  forward.swap(forward.at(kind::step_compensated, "mix"), forward.at(kind::step_compensated, "bake"));
  forward.breaks("the step bake succeeded later and has to be undone first");
}

BOOST_AUTO_TEST_CASE(attempts_to_undo_are_numbered_in_order) {
  written_journal unbegun(undone());
  unbegun.drop(kind::compensation_attempt_started, "bake");
  unbegun.breaks("attempt to undo it 2 has not begun; no event says so");
  written_journal jumps(undone());
  jumps.at(kind::step_compensated, "bake").attempt = 4;
  jumps.breaks("attempt to undo it 2 is the one that is out");
}

BOOST_AUTO_TEST_CASE(wishes_alternate) {
  fed_run run(chain());
  run.feed(pause_asked{"ann"});
  written_journal paused(run);
  paused.add(kind::run_paused, "", 0, R"({"by": "bob"})");
  paused.breaks("the run was paused already");
  fed_run other(chain());
  written_journal resumed(other);
  resumed.add(kind::run_resumed);
  resumed.breaks("the run was not paused");
  fed_run asked(chain());
  asked.feed(cancel_asked{"ann", ""});
  written_journal cancelled(asked);
  cancelled.add(kind::cancel_requested);
  cancelled.breaks("the run was being cancelled already");
}

BOOST_AUTO_TEST_CASE(a_time_may_go_back_only_as_far_as_two_clocks_may_differ) {
  written_journal allowed(completed());
  allowed.at(kind::step_succeeded, "bake").at = allowed.at(kind::step_succeeded, "mix").at - clock_step_max;
  allowed.holds();
  written_journal beyond(completed());
  beyond.at(kind::step_succeeded, "bake").at = beyond.at(kind::step_succeeded, "mix").at - clock_step_max - duration(1);
  beyond.breaks("is more than 10 s before");
  BOOST_TEST(order_faults(beyond.events, *beyond.workflow).size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_attempt_begins_no_sooner_than_it_was_due) {
  written_journal early(completed());
  early.at(kind::attempt_failed, "mix").body = R"({"due_at": "2026-11-23T05:00:00Z"})";
  early.breaks("it was due at 2026-11-23T05:00:00.000000Z, more than 10 s later");
}

BOOST_AUTO_TEST_CASE(what_follows_an_unknown_step_is_not_judged) {
  written_journal strange(completed());
  strange.at(kind::step_succeeded, "mix").step = "fry";
  const auto faults = order_faults(strange.events, *strange.workflow);
  BOOST_TEST_REQUIRE(faults.size() == 1U);
  BOOST_TEST(faults[0].seq == 5);
  BOOST_TEST(faults[0].message.find("has no such step") != std::string::npos, faults[0].message);
}

BOOST_AUTO_TEST_CASE(an_event_is_about_a_step_or_about_the_run) {
  written_journal nameless(completed());
  nameless.at(kind::step_succeeded, "mix").step.clear();
  nameless.breaks("such an event is about a step and names none");
  written_journal named(completed());
  named.at(kind::run_started).step = "mix";
  named.breaks("such an event is about the run and names no step");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
