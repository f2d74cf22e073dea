// The audit row is a projection of the run's state.
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "tests/support/fed_run.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace std::chrono_literals;

namespace levain::test {

namespace {

workflow_ptr bakery() {
  return workflow_builder("daily_bakery")
    .step("forecasting")
    .audit(audit_group::forecasting)
    .record("forecasts_generated", "/count")
    .record("forecast_id", "/id")
    .record("forecast_data", "/data")
    .step("production")
    .audit(audit_group::production)
    .needs({"forecasting"})
    .compensated()
    .record("quality_score", "/quality")
    .step("insights")
    .audit(audit_group::ai_insights)
    .after({"production"})
    .proceeds()
    .build();
}

constexpr auto forecast = R"({"count":12,"id":"0190a000-0000-7000-8000-000000000001","data":{"bread":[1,2]}})";

nlohmann::json details_of(const run_state& state) {
  return nlohmann::json::parse(audit_of(state).error_details.value_or("null"));
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_machine_audit_test)

BOOST_AUTO_TEST_CASE(an_accepted_run_is_pending_since_it_was_accepted) {
  fed_run run(bakery(), false);
  auto row = audit_of(run.state);
  BOOST_TEST((row.status == run_status::pending));
  BOOST_TEST((row.started_at == night() && row.created_at == night() && row.updated_at == night()));
  BOOST_TEST(row.run_number == "ORCH-20261123-00000001");
  BOOST_TEST(row.workflow == "daily_bakery");
  BOOST_TEST(*row.triggered_by == "tester");
  BOOST_TEST(row.saga_steps_total == 3);
  BOOST_TEST(row.saga_steps_completed == 0);
  BOOST_TEST(!row.error_details.has_value());
}

BOOST_AUTO_TEST_CASE(started_at_is_when_the_start_was_accepted_from_first_to_last) {
  fed_run run(bakery(), false);
  run.now += 3s;
  run.feed(slot_granted{});
  auto row = audit_of(run.state);
  BOOST_TEST((row.status == run_status::running));
  BOOST_TEST((row.started_at == night()));
  BOOST_TEST((row.created_at == night()));
  BOOST_TEST((row.updated_at == night() + 3s));
  BOOST_TEST((row.step(audit_group::forecasting).started_at == night() + 3s));
  BOOST_TEST(!row.step(audit_group::forecasting).status.has_value());
  run.succeed("forecasting", forecast);
  run.succeed("production", R"({"quality": 97})");
  run.now += 2s;
  run.succeed("insights");
  row = audit_of(run.state);
  BOOST_TEST((row.status == run_status::completed));
  BOOST_TEST((row.started_at == night()));
  BOOST_TEST((row.completed_at == night() + 5s));
  BOOST_TEST(*row.duration_seconds == 5);
}

BOOST_AUTO_TEST_CASE(a_completed_run_fills_what_its_steps_record) {
  fed_run run(bakery());
  run.succeed("forecasting", forecast);
  run.succeed("production", R"({"quality": 97})");
  run.now += 61900ms;
  run.succeed("insights");
  auto row = audit_of(run.state);
  BOOST_TEST((row.status == run_status::completed));
  BOOST_TEST((row.completed_at == night() + 61900ms));
  BOOST_TEST(*row.duration_seconds == 61);
  BOOST_TEST(row.forecasts_generated == 12);
  BOOST_TEST(to_string(*row.forecast_id) == "0190a000-0000-7000-8000-000000000001");
  BOOST_TEST(*row.forecast_data == R"({"bread":[1,2]})");
  BOOST_TEST(*row.quality_score == 97);
  BOOST_TEST(*row.step(audit_group::production).status == "success");
  BOOST_TEST(row.saga_steps_completed == 3);
  BOOST_TEST(!row.error_message.has_value());
  BOOST_TEST(!row.attention.has_value());
}

BOOST_AUTO_TEST_CASE(partial_success_names_what_failed) {
  fed_run run(bakery());
  run.succeed("forecasting", forecast);
  run.succeed("production", R"({"quality": 97})");
  run.fail("insights", final_failure("HTTP 501"));
  auto row = audit_of(run.state);
  BOOST_TEST((row.status == run_status::partial_success));
  BOOST_TEST(*row.error_message == "step insights failed: HTTP 501");
  BOOST_TEST(*row.step(audit_group::ai_insights).status == "failed");
  BOOST_TEST(*row.step(audit_group::ai_insights).error == "HTTP 501");
  const auto details = details_of(run.state);
  BOOST_TEST(details["step"] == "insights");
  BOOST_TEST(details["message"] == "HTTP 501");
  BOOST_TEST(details["compensations"].empty());
  auto failed = details["failures"];
  BOOST_TEST(failed.size() == 1u);
  BOOST_TEST(
    failed[0].dump() ==
    R"({"at":"2026-11-23T04:00:00.000000Z","attempt":1,"kind":"final","message":"HTTP 501","step":"insights"})");
}

BOOST_AUTO_TEST_CASE(a_failed_run_tells_the_step_and_its_compensations) {
  fed_run run(
    workflow_builder().step("a").compensated(1).step("b").compensated().needs({"a"}).step("c").needs({"b"}).build());
  run.succeed("a");
  run.succeed("b");
  run.fail("c", final_failure("HTTP 422"));
  run.undo("b");
  run.fail_undo("a", retryable("HTTP 503"));
  auto details = details_of(run.state);
  BOOST_TEST(details["step"] == "c");
  BOOST_TEST(details["attempt"] == 1);
  BOOST_TEST(details["kind"] == "final");
  BOOST_TEST(details["message"] == "HTTP 422");
  BOOST_TEST(
    details["compensations"].dump() ==
    R"([{"attempts":1,"status":"compensated","step":"b"},{"attempts":1,"message":"HTTP 503","status":"failed","step":"a"}])");
  auto row = audit_of(run.state);
  BOOST_TEST((row.status == run_status::failed));
  BOOST_TEST(*row.error_message == "step c failed: HTTP 422");
  BOOST_TEST(row.saga_steps_completed == 2);
  BOOST_TEST(row.attention.has_value());
}

BOOST_AUTO_TEST_CASE(a_failed_run_tells_every_failure_the_decisive_one_first) {
  fed_run run(workflow_builder().step("a").proceeds().step("b").step("c").needs({"b"}).build());
  run.fail("a", final_failure("HTTP 501"));
  run.fail("b", final_failure("HTTP 422"));
  const auto details = details_of(run.state);
  BOOST_TEST(details["step"] == "b");
  const auto& failures = details["failures"];
  BOOST_TEST_REQUIRE(failures.size() == 2u);
  BOOST_TEST(failures[0]["step"] == "b");
  BOOST_TEST(failures[1]["step"] == "a");
  BOOST_TEST(failures[1]["message"] == "HTTP 501");
}

BOOST_AUTO_TEST_CASE(what_went_wrong_is_seen_while_a_step_waits_for_its_next_attempt) {
  fed_run run(workflow_builder().step("a").attempts(2).audit(audit_group::procurement).build());
  run.fail("a", retryable("HTTP 503"));
  auto columns = audit_of(run.state).step(audit_group::procurement);
  BOOST_TEST(columns.error.value_or("") == "HTTP 503");
  BOOST_TEST(!columns.status.has_value());
  run.wait(1h);
  run.succeed("a");
  columns = audit_of(run.state).step(audit_group::procurement);
  BOOST_TEST(!columns.error.has_value());
  BOOST_TEST(columns.status.value_or("") == "success");
}

BOOST_AUTO_TEST_CASE(a_step_that_never_began_in_a_failed_run_is_skipped) {
  fed_run run(bakery());
  run.fail("forecasting", final_failure("HTTP 422"));
  const auto row = audit_of(run.state);
  BOOST_TEST((row.status == run_status::failed));
  BOOST_TEST(row.step(audit_group::forecasting).status.value_or("") == "failed");
  BOOST_TEST(row.step(audit_group::production).status.value_or("") == "skipped");
  BOOST_TEST(!row.step(audit_group::production).started_at.has_value());
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_tells_who_and_why) {
  fed_run run(bakery(), false);
  run.feed(cancel_asked{"ann", "no flour"});
  auto row = audit_of(run.state);
  BOOST_TEST((row.status == run_status::cancelled));
  BOOST_TEST(*row.error_message == "cancelled by ann: no flour");
  BOOST_TEST(*row.duration_seconds == 0);
}

BOOST_AUTO_TEST_CASE(a_skipped_step_has_no_start_and_no_error) {
  fed_run run(workflow_builder().step("a").proceeds().step("b").needs({"a"}).audit(audit_group::procurement).build());
  run.fail("a");
  const auto row = audit_of(run.state);
  const auto& columns = row.step(audit_group::procurement);
  BOOST_TEST(*columns.status == "skipped");
  BOOST_TEST(!columns.started_at.has_value());
  BOOST_TEST(!columns.error.has_value());
}

BOOST_AUTO_TEST_CASE(steps_that_share_a_group_show_the_first_start_the_last_end_and_the_worst) {
  fed_run run(workflow_builder()
                .step("a")
                .audit(audit_group::production)
                .step("b")
                .audit(audit_group::production)
                .needs({"a"})
                .proceeds()
                .step("c")
                .audit(audit_group::production)
                .needs({"a"})
                .build());
  run.now += 1s;
  run.succeed("a");
  BOOST_TEST(!audit_of(run.state).step(audit_group::production).status.has_value());
  run.now += 1s;
  run.fail("b", final_failure("oven cold"));
  BOOST_TEST(*audit_of(run.state).step(audit_group::production).status == "failed");
  BOOST_TEST(!audit_of(run.state).step(audit_group::production).completed_at.has_value());
  run.now += 1s;
  run.succeed("c");
  const auto row = audit_of(run.state);
  const auto& columns = row.step(audit_group::production);
  BOOST_TEST((columns.started_at == night()));
  BOOST_TEST((columns.completed_at == night() + 3s));
  BOOST_TEST(*columns.status == "failed");
  BOOST_TEST(*columns.error == "oven cold");
}

BOOST_AUTO_TEST_CASE(a_pause_leaves_the_status_and_a_retry_takes_the_end_back) {
  fed_run run(bakery());
  run.feed(pause_asked{"ann"});
  BOOST_TEST((audit_of(run.state).status == run_status::running));
  run.fail("forecasting");
  BOOST_TEST((audit_of(run.state).status == run_status::failed));
  run.feed(retry_asked{"ann"});
  auto row = audit_of(run.state);
  BOOST_TEST((row.status == run_status::running));
  BOOST_TEST(row.retry_count == 1);
  BOOST_TEST(!row.completed_at.has_value());
  BOOST_TEST(!row.duration_seconds.has_value());
  BOOST_TEST(!row.error_message.has_value());
  BOOST_TEST(!row.step(audit_group::forecasting).error.has_value());
}

BOOST_AUTO_TEST_CASE(an_undone_step_records_nothing_while_it_is_done_anew) {
  fed_run run(
    workflow_builder().step("a").compensated().record("notifications_sent", "/n").step("b").needs({"a"}).build());
  run.succeed("a", R"({"n":5})");
  run.fail("b");
  run.undo("a");
  BOOST_TEST(audit_of(run.state).notifications_sent == 5);
  run.feed(retry_asked{"ann"});
  BOOST_TEST(audit_of(run.state).notifications_sent == 0);
  BOOST_TEST(audit_of(run.state).saga_steps_completed == 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace levain::test
