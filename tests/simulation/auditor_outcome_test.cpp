#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

namespace {

fact succeeded(const std::string& step, const json& output) {
  return {event_kind::step_succeeded, step, 1, {{"output", output}}};
}
/// What a call that may have done its work leaves is said to be unknown.
bool leaves_doubt(const std::string& kind) {
  return kind == "timeout" || kind == "invalid_output" || kind == "abandoned";
}
fact fails(const std::string& step, const std::string& kind) {
  json body{{"kind", kind}, {"message", "no"}};
  if (leaves_doubt(kind))
    body["unknown"] = true;
  return {event_kind::step_failed, step, 1, body};
}

} // namespace

BOOST_AUTO_TEST_SUITE(auditor_outcome_test)

BOOST_AUTO_TEST_CASE(an_outcome_is_what_the_call_was_answered) {
  history uncalled;
  uncalled.begin();
  uncalled.write({succeeded("a", 1)});
  BOOST_TEST(uncalled.broken() == "outcome_is_answer");

  history unanswered;
  unanswered.begin();
  unanswered.call("a");
  unanswered.write({succeeded("a", 1)});
  BOOST_TEST(unanswered.broken() == "outcome_is_answer");

  history early_timeout;
  early_timeout.begin();
  early_timeout.call("a");
  early_timeout.pass(29s);
  early_timeout.write(
    {{event_kind::attempt_failed,
      "a",
      1,
      {{"kind", "timeout"}, {"message", "late"}, {"unknown", true}, {"due_at", to_rfc3339(early_timeout.now + 1s)}}}});
  BOOST_TEST(early_timeout.broken() == "outcome_is_answer");
}

BOOST_AUTO_TEST_CASE(a_deadline_passes_without_an_answer) {
  history kept;
  kept.begin();
  const auto call = kept.call("a");
  kept.pass(30s);
  kept.write(
    {{event_kind::attempt_failed,
      "a",
      1,
      {{"kind", "timeout"}, {"message", "late"}, {"unknown", true}, {"due_at", to_rfc3339(kept.now + 1s)}}}});
  kept.answer(call, 1, false);
  BOOST_TEST(kept.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_call_that_may_have_done_its_work_is_said_to_be_unknown) {
  const auto said = [](bool effect_none, const std::string& message, bool unknown) {
    history x([&](workflow_known& workflow) { workflow.steps[0].effect_none = effect_none; });
    x.begin();
    x.call("a");
    x.pass(30s);
    json body{{"kind", "timeout"}, {"message", message}, {"due_at", to_rfc3339(x.now + 1s)}};
    if (unknown)
      body["unknown"] = true;
    x.write({{event_kind::attempt_failed, "a", 1, body}});
    return x.broken();
  };
  BOOST_TEST(said(false, "late", true) == "");
  BOOST_TEST(said(false, "late", false) == "unknown_is_said");
  BOOST_TEST(said(true, "late", false) == "");
  BOOST_TEST(said(false, "nobody took it (queue_timeout)", false) == "");
}

BOOST_AUTO_TEST_CASE(an_answer_that_was_awaited_is_not_replaced) {
  history other_output;
  other_output.begin();
  other_output.answer(other_output.call("a"), 1);
  other_output.write({succeeded("a", 2)});
  BOOST_TEST(other_output.broken() == "answer_kept");

  history second_answer;
  second_answer.begin();
  const auto call = second_answer.call("a");
  second_answer.answer(call, 1);
  second_answer.answer(call, 2, false);
  second_answer.write({succeeded("a", 2)});
  BOOST_TEST(second_answer.broken() == "answer_kept");

  history dropped;
  dropped.begin();
  dropped.answer(dropped.call("a"), 1);
  dropped.write({fails("a", "abandoned")});
  BOOST_TEST(dropped.broken() == "answer_kept");
}

BOOST_AUTO_TEST_CASE(an_answer_that_never_becomes_an_event_is_found_at_the_end) {
  history lost;
  lost.begin();
  lost.answer(lost.call("a"), 1);
  lost.finish({{lost.run, {"call"}}});
  BOOST_TEST(lost.broken() == "answer_kept run_ends");
}

BOOST_AUTO_TEST_CASE(nonsense_is_no_output) {
  history kept;
  kept.begin();
  kept.judge.saw(call_told{kept.now, kept.call("a"), "{nonsense", {}, true});
  kept.write({fails("a", "invalid_output")});
  BOOST_TEST(kept.broken() == "");

  history sound;
  sound.begin();
  sound.answer(sound.call("a"), 1);
  sound.write({fails("a", "invalid_output")});
  BOOST_TEST(sound.broken() == "answer_kept");
}

BOOST_AUTO_TEST_CASE(an_output_that_fits_no_column_is_none) {
  const auto answered = [](const json& output) {
    history x([](workflow_known& workflow) {
      workflow.steps[0].records = {{"quality_score", "/score"}, {"forecast_id", "/id"}};
    });
    x.begin();
    x.answer(x.call("a"), output);
    x.write({fails("a", "invalid_output")});
    return x.broken();
  };
  BOOST_TEST(answered({{"score", 101}, {"id", to_string(history().run)}}) == "");
  BOOST_TEST(answered({{"score", 100}, {"id", "none"}}) == "");
  BOOST_TEST(answered({{"score", 100}}) == "");
  BOOST_TEST(answered({{"score", 100}, {"id", to_string(history().run)}}) == "answer_kept");
}

BOOST_AUTO_TEST_CASE(a_late_first_answer_may_come_before_its_deadline_is_noticed) {
  history kept;
  kept.begin();
  const auto call = kept.call("a");
  kept.pass(31s);
  kept.answer(call, 1, false);
  kept.write({succeeded("a", 1)});
  BOOST_TEST(kept.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_stopping_run_gives_up_only_calls_without_effect) {
  const auto abandons = [](bool effect_none) {
    history x([&](workflow_known& workflow) {
      workflow.steps[1].needs.clear();
      workflow.steps[1].effect_none = effect_none;
      workflow.steps[1].compensates = false;
    });
    x.begin();
    x.call("b");
    x.fail_finally("a");
    x.write({fails("b", "abandoned"), failed});
    return x.broken();
  };
  BOOST_TEST(abandons(true) == "");
  BOOST_TEST(abandons(false) == "outcome_is_answer");
}

BOOST_AUTO_TEST_CASE(only_a_run_whose_rows_were_refused_is_told_so) {
  history kept;
  kept.begin();
  kept.answer(kept.call("a"), 1);
  kept.refuse_rows();
  kept.write({fails("a", "rejected"), failed});
  BOOST_TEST(kept.broken() == "");

  history neighbour;
  neighbour.begin();
  neighbour.answer(neighbour.call("a"), 1);
  neighbour.write({fails("a", "rejected"), failed});
  BOOST_TEST(neighbour.broken() == "refused_alone");

  const fact refused_end{
    event_kind::run_failed, {}, 0, {{"reason", "refused"}, {"kind", "rejected"}, {"message", "refused"}}};
  history run;
  run.begin();
  run.write({refused_end});
  BOOST_TEST(run.broken() == "refused_alone");
}

BOOST_AUTO_TEST_SUITE_END()
