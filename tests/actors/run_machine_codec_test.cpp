// Events as the journal keeps them.
#include <boost/test/unit_test.hpp>

#include <functional>

#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

namespace {

workflow_ptr flow() {
  return workflow_builder().step("a").record("forecasts_generated", "/n").step("b").build();
}

event about(event_kind kind, std::optional<step_index> step = {}, uint32_t attempt = 0) {
  event fact;
  fact.seq = 2;
  fact.at = night();
  fact.kind = kind;
  fact.step = step;
  fact.attempt = attempt;
  return fact;
}

/// One event of every kind with everything it can hold.
std::vector<event> all_kinds() {
  auto plan = plan_of(*flow());
  plan.input = R"({"z":1,"a":[1e16]})";
  plan.metadata = R"({"night":true})";
  std::vector<event> facts = {accept_run(plan, night())};
  for (int i = 1; i < event_kind_count; ++i) {
    auto kind = static_cast<event_kind>(i);
    auto name = to_string(kind);
    bool of_step = name.starts_with("step_") || name.starts_with("attempt_") || name.starts_with("compensation_") ||
                   kind == event_kind::delivery_lost;
    of_step = of_step && kind != event_kind::compensation_started;
    auto fact = about(kind);
    if (of_step)
      fact.step = 1;
    if (of_step && kind != event_kind::step_skipped)
      fact.attempt = 3;
    if (name.ends_with("failed") && kind != event_kind::run_failed)
      fact.failure = call_failure{call_failure::kind_type::timeout, "no \"answer\" \\ ü", 90s, i % 2 == 0};
    if (name.ends_with("attempt_failed") || kind == event_kind::run_retry_scheduled)
      fact.due_at = night() + 1500us;
    if (kind == event_kind::step_succeeded)
      fact.output = R"({"n":1})";
    const bool command = kind == event_kind::cancel_requested || kind == event_kind::terminate_requested ||
                         kind == event_kind::attention_resolved;
    if (name.starts_with("run_paused") || name.starts_with("run_re") || command)
      fact.by = kind == event_kind::run_retry_scheduled ? "" : "ann";
    if (kind == event_kind::step_skipped || command || kind == event_kind::run_failed)
      fact.reason = "why not";
    const bool outcome =
      name.ends_with("failed") || kind == event_kind::step_succeeded || kind == event_kind::step_compensated;
    if (kind == event_kind::delivery_lost || (outcome && kind != event_kind::run_failed))
      fact.worker = "oven-1";
    if (outcome && kind != event_kind::run_failed)
      fact.queued = 1'500ms;
    fact.renews_keys = kind == event_kind::run_retried;
    facts.push_back(fact);
  }
  return facts;
}

std::string fault_of(const event_record& record) {
  try {
    decode_event(record, *flow());
  } catch (const broken_journal& e) {
    return e.what();
  }
  return "";
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_machine_codec_test)

BOOST_AUTO_TEST_CASE(every_kind_comes_back_as_it_went) {
  auto facts = all_kinds();
  BOOST_TEST(facts.size() == static_cast<size_t>(event_kind_count));
  for (const auto& fact : facts) {
    BOOST_TEST_CONTEXT(to_string(fact.kind)) {
      auto record = encode_event(fact, *flow());
      BOOST_TEST((decode_event(record, *flow()) == fact));
      BOOST_TEST((encode_event(decode_event(record, *flow()), *flow()) == record));
    }
  }
}

BOOST_AUTO_TEST_CASE(texts_of_json_are_embedded_as_values) {
  auto fact = about(event_kind::step_succeeded, 1, 1);
  fact.output = R"({"x":[1,2]})";
  auto record = encode_event(fact, *flow());
  BOOST_TEST(record.body == R"({"output":{"x":[1,2]}})");
  BOOST_TEST(record.step == "b");
  BOOST_TEST(record.attempt == 1);
}

BOOST_AUTO_TEST_CASE(facts_without_more_to_tell_have_no_body) {
  for (auto kind : {event_kind::run_started, event_kind::run_completed, event_kind::compensation_started})
    BOOST_TEST(encode_event(about(kind), *flow()).body == "");
}

BOOST_AUTO_TEST_CASE(an_outcome_tells_who_had_the_attempt_and_how_long_it_waited_before) {
  auto fact = about(event_kind::step_compensated, 1, 1);
  fact.worker = "oven-1";
  fact.queued = 2s;
  BOOST_TEST(encode_event(fact, *flow()).body == R"({"worker":"oven-1","queued_us":2000000})");
}

BOOST_AUTO_TEST_CASE(another_spelling_of_the_same_json_is_the_same_event) {
  auto fact = about(event_kind::step_succeeded, 1, 1);
  fact.output = R"({"a":10000000000000000,"b":0.5})";
  auto record = encode_event(fact, *flow());
  record.body = R"({"output": {"b": 0.5, "a": 10000000000000000}})";
  BOOST_TEST((decode_event(record, *flow()) == fact));
}

BOOST_AUTO_TEST_CASE(recorded_values_follow_from_the_output) {
  event_record record{5, night(), event_kind::step_succeeded, "a", 1, R"({"output":{"n":4}})"};
  auto fact = decode_event(record, *flow());
  BOOST_TEST((fact.recorded == std::vector<recorded_value>{4}));
}

BOOST_AUTO_TEST_CASE(damaged_events_are_refused_by_number_and_fault) {
  const std::pair<event_record, const char*> table[] = {
    {{7, night(), event_kind::step_succeeded, "b", 1, "{"}, "event 7 (step_succeeded): its body is not a JSON object"},
    {{7, night(), event_kind::step_succeeded, "b", 1, "[]"}, "event 7 (step_succeeded): its body is not a JSON object"},
    {{7, night(), event_kind::step_succeeded, "b", 1, ""}, "event 7 (step_succeeded): its body has no member 'output'"},
    {{7, night(), event_kind::step_succeeded, "x", 1, "{}"},
     "event 7 (step_succeeded): the workflow test_flow has no step 'x'"},
    {{7, night(), event_kind::step_succeeded, "", 1, "{}"}, "event 7 (step_succeeded): it names no step"},
    {{7, night(), event_kind::step_succeeded, "b", 0, "{}"}, "event 7 (step_succeeded): its attempt 0 cannot be"},
    {{7, night(), event_kind::step_succeeded, "b", -1, "{}"}, "event 7 (step_succeeded): its attempt -1 cannot be"},
    {{7, night(), event_kind::run_started, "b", 0, ""},
     "event 7 (run_started): it names the step 'b' but is about the run"},
    {{7, night(), event_kind::run_started, "", 0, R"({"x":1})"},
     "event 7 (run_started): its body has the unknown member 'x'"},
    {{7, night(), event_kind::step_succeeded, "b", 1, R"({"output":{},"queued_us":0})"},
     "event 7 (step_succeeded): 'queued_us' must be above 0"},
    {{7, night(), event_kind::step_compensated, "b", 1, R"({"queued_us":"long"})"},
     "event 7 (step_compensated): 'queued_us' must be a whole number"},
    {{7, night(), event_kind::step_failed, "b", 1, R"({"kind":"odd","message":"m"})"},
     "event 7 (step_failed): 'odd' is no kind of failure"},
    {{7, night(), event_kind::step_failed, "b", 1, R"({"kind":"final","message":7})"},
     "event 7 (step_failed): 'message' must be a text"},
    {{7, night(), event_kind::run_retry_scheduled, "", 0, R"({"due_at":"soon"})"},
     "event 7 (run_retry_scheduled): 'due_at' must be a time as RFC 3339 writes it, not 'soon'"},
    {{7, night(), event_kind::run_accepted, "", 0, R"({"run":"x"})"},
     "event 7 (run_accepted): 'run' must be a UUID, not 'x'"},
  };
  for (const auto& [record, fault] : table)
    BOOST_TEST(fault_of(record) == fault);
}

BOOST_AUTO_TEST_CASE(a_body_of_any_depth_is_read_or_refused) {
  const auto of_depth = [](size_t depth) {
    const auto output = std::string(depth, '[') + std::string(depth, ']');
    return event_record{7, night(), event_kind::step_succeeded, "b", 1, R"({"output":)" + output + "}"};
  };
  BOOST_TEST(fault_of(of_depth(64)) == "");
  BOOST_TEST(fault_of(of_depth(65)) == "event 7 (step_succeeded): its body is nested deeper than 65 levels");
  BOOST_TEST(fault_of(of_depth(1'000'000)) == "event 7 (step_succeeded): its body is nested deeper than 65 levels");
}

BOOST_AUTO_TEST_CASE(a_plan_can_be_read_before_its_workflow_is_known) {
  auto plan = plan_of(*flow());
  auto record = encode_event(accept_run(plan, night()), *flow());
  BOOST_TEST((decode_plan(record, plan.run) == plan));
  BOOST_CHECK_THROW(decode_plan(record, run_id{}), broken_journal);
  record.seq = 2;
  BOOST_CHECK_THROW(decode_plan(record, plan.run), broken_journal);
}

BOOST_AUTO_TEST_CASE(a_run_with_an_unusable_input_is_not_accepted) {
  auto plan = plan_of(*flow());
  plan.input = "{";
  BOOST_CHECK_THROW(accept_run(plan, night()), std::invalid_argument);
  plan.input = "7";
  plan.metadata = "[]";
  BOOST_CHECK_THROW(accept_run(plan, night()), std::invalid_argument);
  plan.metadata = "{ }";
  BOOST_TEST(*accept_run(plan, night()).plan->metadata == "{}");
}

BOOST_AUTO_TEST_CASE(events_that_cannot_follow_are_refused_and_change_nothing) {
  fed_run run(workflow_builder().step("a").build());
  auto next = [&](event fact, int32_t seq = 3) {
    fact.seq = seq;
    return fact;
  };
  auto scheduled = next(about(event_kind::run_retry_scheduled));
  scheduled.due_at = night();
  const event wrong[] = {
    next(about(event_kind::run_paused), 4), // a hole
    next(about(event_kind::run_paused), 2), // a number twice
    next(accept_run(plan_of(*run.state.workflow), night())),
    next(about(event_kind::run_started)),
    next(about(event_kind::step_succeeded, 0, 2)),
    next(about(event_kind::step_succeeded, 1, 1)),
    next(about(event_kind::step_succeeded)),
    next(about(event_kind::attempt_started, 0, 2)),
    next(about(event_kind::attempt_failed, 0, 1)), // without its time
    next(about(event_kind::step_skipped, 0, 0)),
    next(about(event_kind::run_resumed)),
    next(about(event_kind::compensation_started)),
    next(about(event_kind::step_compensated, 0, 1)),
    next(about(event_kind::compensation_failed, 0, 1)),
    next(about(event_kind::compensation_attempt_failed, 0, 1)),
    next(about(event_kind::compensation_attempt_started, 0, 1)),
    scheduled,
    next(about(event_kind::run_retried)),
    next(about(event_kind::run_completed)),
    next(about(event_kind::run_partially_succeeded)),
    next(about(event_kind::run_failed)),
    next(about(event_kind::run_cancelled)),
  };
  auto before = run.state;
  for (const auto& fact : wrong) {
    BOOST_TEST_CONTEXT(to_string(fact.kind)) {
      BOOST_CHECK_THROW(evolve(run.state, fact), broken_journal);
      BOOST_TEST((run.state == before));
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_follows_the_end_but_a_retry) {
  fed_run run(workflow_builder().step("a").build());
  run.succeed("a");
  for (int i = 0; i < event_kind_count; ++i) {
    auto fact = about(static_cast<event_kind>(i), 0, 1);
    fact.seq = run.state.seq + 1;
    BOOST_CHECK_THROW(evolve(run.state, fact), broken_journal);
  }
  auto journal = run.events;
  BOOST_TEST((journal.back().kind == event_kind::run_completed));
}

BOOST_AUTO_TEST_CASE(what_a_broken_row_says_is_told_on_a_plain_line) {
  event_record record{2, night(), event_kind::run_started, "a\n\x7F\xFF", 0, ""};
  BOOST_TEST(fault_of(record) == "event 2 (run_started): it names the step 'a \xEF\xBF\xBD' but is about the run");
  record.step.assign(100'000, 'a');
  BOOST_TEST(fault_of(record).size() == message_bytes_max);
}

BOOST_AUTO_TEST_CASE(a_broken_journal_is_told_by_event_and_run) {
  fed_run run(workflow_builder().step("a").build());
  auto fact = about(event_kind::step_succeeded, 0, 2);
  fact.seq = 3;
  try {
    evolve(run.state, fact);
    BOOST_TEST_ERROR("it was folded");
  } catch (const broken_journal& e) {
    BOOST_TEST(
      e.what() == std::string("event 3 (step_succeeded of step a, attempt 2) cannot follow event 2 of run "
                              "01900000-0000-7000-8000-000000000001: the step has no such attempt out"));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
