#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

namespace {

/// A run that ends, with its last row changed.
std::string ended_with(const std::function<void(std::optional<audit_row>&)>& change) {
  history x;
  x.begin();
  x.pass(1500ms);
  x.succeed("a");
  x.pass(1s);
  x.answer(x.call("b"), 1);
  x.write({{event_kind::step_succeeded, "b", 1, {{"output", 1}}}, completed}, [&](run_written& w) { change(w.row); });
  return x.broken();
}

} // namespace

BOOST_AUTO_TEST_SUITE(auditor_row_test)

BOOST_AUTO_TEST_CASE(the_row_of_a_run_without_trouble_is_as_the_document_has_it) {
  history x;
  x.begin();
  const auto begin = x.now;
  x.pass(1500ms);
  x.succeed("a");
  x.pass(1s);
  x.answer(x.call("b"), 1);
  x.write({{event_kind::step_succeeded, "b", 1, {{"output", 1}}}, completed}, [&](run_written& w) {
    audit_row row;
    row.id = x.run;
    row.run_number = "ORCH-20261123-00000001";
    row.tenant = x.tenant;
    row.status = run_status::completed;
    row.run_type = "manual";
    row.started_at = row.created_at = begin;
    row.completed_at = row.updated_at = begin + 2500ms;
    row.duration_seconds = 2;
    row.step(audit_group::forecasting) = {begin, begin + 1500ms, "success", std::nullopt};
    row.step(audit_group::production) = {begin + 1500ms, begin + 2500ms, "success", std::nullopt};
    row.saga_steps_total = row.saga_steps_completed = 2;
    row.workflow = "w";
    row.workflow_version = 1;
    w.row = row;
  });
  BOOST_TEST(x.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_row_that_differs_from_the_journal_is_found) {
  using row = std::optional<audit_row>;
  BOOST_TEST(ended_with([](row&) {}) == "");
  BOOST_TEST(ended_with([](row& x) { x.reset(); }) == "row_is_fold");
  BOOST_TEST(ended_with([](row& x) { x->status = run_status::running; }) == "row_is_fold");
  BOOST_TEST(ended_with([](row& x) { x->duration_seconds = 3; }) == "row_is_fold");
  BOOST_TEST(ended_with([](row& x) { x->saga_steps_completed = 1; }) == "row_is_fold");
  BOOST_TEST(ended_with([](row& x) { x->retry_count = 1; }) == "row_is_fold");
  BOOST_TEST(ended_with([](row& x) { x->error_message = "no"; }) == "row_is_fold");
  BOOST_TEST(ended_with([](row& x) { x->attention = "look"; }) == "row_is_fold");
  BOOST_TEST(ended_with([](row& x) { x->completed_at.reset(); }) == "row_is_fold");
  BOOST_TEST(ended_with([](row& x) { x->step(audit_group::production).status = "failed"; }) == "row_is_fold");
  BOOST_TEST(ended_with([](row& x) { x->step(audit_group::forecasting).completed_at.reset(); }) == "row_is_fold");
  BOOST_TEST(ended_with([](row& x) { x->updated_at += 1us; }) == "row_is_fold");
}

BOOST_AUTO_TEST_CASE(recorded_values_are_those_of_the_outputs) {
  const auto recorded = [](int32_t forecasts, std::optional<int32_t> score) {
    history x([](workflow_known& workflow) {
      workflow.steps[0].records = {{"forecasts_generated", "/made"}, {"quality_score", "/score"}};
    });
    x.begin();
    const json output = {{"made", 30}, {"score", 97.0}};
    x.answer(x.call("a"), output);
    x.write({{event_kind::step_succeeded, "a", 1, {{"output", output}}}}, [&](run_written& w) {
      w.row->forecasts_generated = forecasts;
      w.row->quality_score = score;
    });
    return x.broken();
  };
  BOOST_TEST(recorded(30, 97) == "");
  BOOST_TEST(recorded(31, 97) == "row_is_fold");
  BOOST_TEST(recorded(30, std::nullopt) == "row_is_fold");
}

BOOST_AUTO_TEST_CASE(a_row_may_lag_behind_the_journal_but_never_goes_back) {
  history lags;
  lags.begin();
  const auto before = expected_row(lags.story());
  lags.pass(1s);
  const json output = {{"of", "a"}};
  lags.answer(lags.call("a"), output);
  lags.write({{event_kind::step_succeeded, "a", 1, {{"output", output}}}}, [&](run_written& x) { x.row = before; });
  BOOST_TEST(lags.broken() == "");

  lags.write({}, [](run_written&) {});
  BOOST_TEST(lags.broken() == "");
  lags.write({}, [&](run_written& x) { x.row = before; });
  BOOST_TEST(lags.broken() == "row_is_fold");
}

BOOST_AUTO_TEST_SUITE_END()
