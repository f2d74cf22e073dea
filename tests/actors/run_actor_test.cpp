// One run among real actors on virtual time: what is durable before what is done, and who is told when.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/actors/scripted_runs.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(run_actor_test)

BOOST_AUTO_TEST_CASE(a_chain_of_steps_runs_to_its_end) {
  actor_world world;
  auto start = world.start(chain());
  world.settle();
  const auto run = start->run().run;
  BOOST_TEST(world.calls->waits("one"));
  BOOST_TEST(!world.calls->waits("two"));
  world.calls->answer("one", R"({"a":1})");
  world.settle();
  world.calls->answer("two", R"({"b":2})");
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::completed));
  BOOST_TEST(world.row(run).saga_steps_completed == 2);
  BOOST_TEST(
    (world.story(run) == std::vector{
                           event_kind::run_accepted, event_kind::run_started, event_kind::step_succeeded,
                           event_kind::step_succeeded, event_kind::run_completed}));
  world.check_row_equals_fold(run);
  BOOST_TEST(world.status().runs_live == 0u);
}

BOOST_AUTO_TEST_CASE(a_start_is_acknowledged_only_when_it_is_durable) {
  actor_world world;
  auto away = std::make_shared<bool>(true);
  database_away(world, away);
  auto start = world.start(chain());
  world.settle();
  BOOST_TEST(!start->outcome.has_value());
  BOOST_TEST(world.calls->calls().empty());
  *away = false;
  world.advance(1s);
  BOOST_TEST(world.database->events(start->run().run).size() == 2u);
  BOOST_TEST(world.calls->waits("one"));
}

BOOST_AUTO_TEST_CASE(a_step_is_called_only_when_the_outcome_it_needs_is_durable) {
  actor_world world;
  auto away = std::make_shared<bool>(false);
  database_away(world, away);
  auto start = world.start(chain());
  world.settle();
  *away = true;
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST(!world.calls->waits("two"));
  *away = false;
  world.advance(1s);
  BOOST_TEST(world.calls->waits("two"));
}

BOOST_AUTO_TEST_CASE(a_chain_without_effects_goes_on_before_the_commit_and_shares_a_batch) {
  actor_world world;
  auto away = std::make_shared<bool>(false);
  database_away(world, away);
  workflow_builder free("free");
  std::vector<std::string> before;
  for (const auto* name : {"one", "two", "three", "four"}) {
    free.step(name).call(scripted()).effect_none().needs(before);
    before = {name};
  }
  auto start = world.start(free.step("five").call(scripted()).needs(before).build());
  world.settle();
  *away = true;
  for (const auto* name : {"one", "two", "three", "four"}) {
    world.calls->answer(name, "{}");
    world.settle();
  }
  // The fifth has an effect outside: everything before it has to be durable first.
  BOOST_TEST(!world.calls->waits("five"));
  const auto batches = world.writer_status->batches.load();
  *away = false;
  world.advance(100ms);
  BOOST_TEST(world.calls->waits("five"));
  // The first outcome was on its way when the database left; the other three came together.
  BOOST_TEST(world.writer_status->batches.load() == batches + 2);
}

BOOST_AUTO_TEST_CASE(an_attempt_that_failed_is_made_again_when_its_time_has_come) {
  actor_world world;
  auto start = world.start(workflow_builder("retry").step("one").call(scripted()).attempts(2).build());
  world.settle();
  world.calls->answer("one", failure(call_failure::kind_type::retryable));
  world.advance(900ms);
  BOOST_TEST(world.calls->count(to_string(start->run().run) + "/one") == 1u);
  world.advance(200ms);
  BOOST_TEST(world.calls->count(to_string(start->run().run) + "/one") == 2u);
  BOOST_TEST(world.calls->calls().back().request.attempt == 2u);
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(start->run().run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_call_without_an_answer_fails_at_its_deadline_and_a_late_answer_changes_nothing) {
  actor_world world;
  auto start = world.start(workflow_builder("slow").step("one").call(scripted()).timeout(5s).build());
  world.settle();
  world.advance(5100ms);
  const auto row = world.row(start->run().run);
  BOOST_TEST((row.status == run_status::failed));
  BOOST_TEST(row.error_message.value_or("").find("5s") != std::string::npos);
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(start->run().run) == row));
}

BOOST_AUTO_TEST_CASE(a_failed_run_undoes_what_succeeded_in_reverse_order) {
  actor_world world;
  compensation_spec undo{.call = scripted(), .retry = {.max_attempts = 2, .initial_interval = 1s, .jitter = 0}};
  auto start = world.start(workflow_builder("saga")
                             .step("one")
                             .call(scripted())
                             .compensate(undo)
                             .step("two")
                             .call(scripted())
                             .needs({"one"})
                             .compensate(undo)
                             .step("three")
                             .call(scripted())
                             .needs({"two"})
                             .build());
  world.settle();
  for (const auto* step : {"one", "two"}) {
    world.calls->answer(step, "{}");
    world.settle();
  }
  world.calls->answer("three", failure(call_failure::kind_type::final));
  world.settle();
  BOOST_TEST(world.calls->waits("two", true));
  BOOST_TEST(!world.calls->waits("one", true));
  world.calls->answer("two", "{}", true);
  world.settle();
  BOOST_TEST(world.calls->waits("one", true));
  world.calls->answer("one", "{}", true);
  world.settle();
  const auto run = start->run().run;
  BOOST_TEST((world.row(run).status == run_status::failed));
  BOOST_TEST(world.calls->count(to_string(run) + "/one/undo") == 1u);
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_CASE(a_long_run_shows_its_progress_in_the_row_within_the_projection_interval) {
  actor_world world;
  auto start = world.start(forecast_first());
  world.settle();
  world.calls->answer("one", "{}");
  world.settle();
  const auto run = start->run().run;
  BOOST_TEST(!world.row(run).step(audit_group::forecasting).completed_at.has_value());
  world.advance(300ms);
  BOOST_TEST(world.row(run).step(audit_group::forecasting).status.value_or("") == "success");
  BOOST_TEST(world.row(run).saga_steps_completed == 1);
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_CASE(rows_in_between_wait_while_the_database_is_behind) {
  // Whether the outcome of the step takes the row along, 400 ms after the run's last row.
  const auto row_comes_along = [](bool behind) {
    actor_world world;
    bool away = false;
    bool row_came = false;
    world.manners->on_append = [&](const std::vector<run_append>& batch) {
      for (const auto& each : batch)
        if (!away && each.events.size() == 1 && each.events.front().kind == event_kind::step_succeeded)
          row_came = each.update.has_value();
      return away ? model_fault::transient : model_fault::none;
    };
    auto start = world.start(workflow_builder("long")
                               .step("one")
                               .call(scripted())
                               .step("two")
                               .call(scripted())
                               .needs({"one"})
                               .timeout(1h)
                               .build());
    world.settle();
    away = behind;
    world.start(workflow_builder("other").step("other").call(scripted()).build());
    world.advance(400ms);
    world.calls->answer("one", "{}");
    world.settle();
    away = false;
    world.advance(5s);
    // It comes as soon as the database has caught up.
    BOOST_TEST(world.row(start->run().run).saga_steps_completed == 1);
    world.check_row_equals_fold(start->run().run);
    return row_came;
  };
  BOOST_TEST(row_comes_along(false));
  BOOST_TEST(!row_comes_along(true));
}

BOOST_AUTO_TEST_CASE(a_wish_is_granted_when_it_is_durable) {
  actor_world world;
  auto away = std::make_shared<bool>(false);
  database_away(world, away);
  auto start = world.start(chain());
  world.settle();
  *away = true;
  auto cancelled = world.ask(start->run().run, cancel_asked{"mara", "wrong day"});
  world.settle();
  BOOST_TEST(!cancelled->has_value());
  *away = false;
  world.advance(1s);
  BOOST_TEST_REQUIRE(cancelled->has_value());
  BOOST_TEST(std::holds_alternative<wish_granted>(**cancelled));
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(start->run().run).status == run_status::cancelled));
}

BOOST_AUTO_TEST_CASE(a_command_is_rejected_when_what_the_rejection_rests_on_is_durable) {
  actor_world world;
  auto away = std::make_shared<bool>(false);
  database_away(world, away);
  auto start = world.start(workflow_builder("short").step("only").call(scripted()).build());
  world.settle();
  const auto run = start->run().run;
  *away = true;
  auto paused = world.ask(run, pause_asked{"anna"});
  world.settle();
  auto paused_again = world.ask(run, pause_asked{"mara"});
  world.settle();
  BOOST_TEST(!paused->has_value());
  BOOST_TEST(!paused_again->has_value());
  world.calls->answer("only", "{}"); // The run has ended, as far as its actor knows.
  world.settle();
  auto cancelled = world.ask(run, cancel_asked{"mara", ""});
  world.settle();
  BOOST_TEST(!cancelled->has_value());
  *away = false;
  world.advance(1s);
  BOOST_TEST_REQUIRE(paused_again->has_value());
  BOOST_TEST_REQUIRE(cancelled->has_value());
  BOOST_TEST(std::holds_alternative<wish_granted>(**paused));
  BOOST_TEST((std::get<wish_refused>(**paused_again).reason == wish_refused::reason_type::conflict));
  BOOST_TEST((std::get<wish_refused>(**cancelled).reason == wish_refused::reason_type::conflict));
}

BOOST_AUTO_TEST_CASE(a_command_is_not_rejected_for_events_that_the_database_refuses) {
  actor_world world;
  auto away = std::make_shared<bool>(false);
  database_away(world, away);
  auto start = world.start(chain());
  world.settle();
  const auto run = start->run().run;
  world.manners->on_row = [](const run_append& append) -> std::optional<std::string> {
    for (const auto& each : append.events)
      if (each.kind == event_kind::run_paused)
        return "column body: cannot be stored";
    return std::nullopt;
  };
  *away = true;
  world.ask(run, pause_asked{"anna"});
  world.settle();
  auto paused = world.ask(run, pause_asked{"mara"});
  world.settle();
  *away = false;
  world.advance(1s);
  BOOST_TEST_REQUIRE(paused->has_value());
  BOOST_TEST((std::get<wish_refused>(**paused).reason == wish_refused::reason_type::unavailable));
}

BOOST_AUTO_TEST_CASE(a_paused_run_begins_nothing_until_it_is_resumed) {
  actor_world world;
  auto start = world.start(chain());
  world.settle();
  const auto run = start->run().run;
  world.ask(run, pause_asked{"mara"});
  world.settle();
  world.calls->answer("one", "{}");
  world.advance(1h);
  BOOST_TEST(!world.calls->waits("two"));
  const auto waits = world.explain_run(run).waits;
  BOOST_TEST(std::any_of(waits.begin(), waits.end(), [](const wait_reason& x) {
    return x.kind == "pause" && x.text.find("mara") != std::string::npos;
  }));
  world.ask(run, resume_asked{"mara"});
  world.settle();
  BOOST_TEST(world.calls->waits("two"));
}

BOOST_AUTO_TEST_CASE(a_run_that_ended_as_failed_is_read_back_and_retried) {
  actor_world world;
  auto start = world.start(chain());
  world.settle();
  const auto run = start->run().run;
  world.calls->answer("one", failure(call_failure::kind_type::final));
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::failed));
  BOOST_TEST(world.status().runs_live == 0u);
  auto retried = world.ask(run, retry_asked{"mara"});
  world.settle();
  BOOST_TEST_REQUIRE(retried->has_value());
  BOOST_TEST(std::holds_alternative<wish_granted>(**retried));
  world.calls->answer("one", "{}");
  world.settle();
  world.calls->answer("two", "{}");
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::completed));
  BOOST_TEST(world.row(run).retry_count == 1);
  BOOST_TEST(world.status().runs_live == 0u);
}

BOOST_AUTO_TEST_CASE(a_wish_for_a_run_that_has_ended_is_refused_and_leaves_nothing_behind) {
  actor_world world;
  auto start = world.start(workflow_builder("short").step("one").build());
  world.settle();
  auto cancelled = world.ask(start->run().run, cancel_asked{"mara", ""});
  world.settle();
  BOOST_TEST_REQUIRE(cancelled->has_value());
  BOOST_TEST((std::get<wish_refused>(**cancelled).reason == wish_refused::reason_type::conflict));
  BOOST_TEST(world.status().runs_live == 0u);
}

BOOST_AUTO_TEST_CASE(another_tenants_run_is_not_found) {
  actor_world world;
  auto start = world.start(chain(), [](start_request& x) { x.tenant.value.bytes[0] = 0x99; });
  world.settle();
  for (int round = 0; round < 2; ++round) {
    auto cancelled = world.ask(start->run().run, cancel_asked{"mara", ""});
    world.settle();
    BOOST_TEST_REQUIRE(cancelled->has_value());
    BOOST_TEST((std::get<wish_refused>(**cancelled).reason == wish_refused::reason_type::not_found));
    if (round == 0) {
      world.calls->answer("one", failure(call_failure::kind_type::final)); // Ended, it has to be read back.
      world.settle();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_repeated_start_leaves_no_row_however_long_it_took) {
  actor_world::options settings;
  settings.dispatcher.runs_running_max = 2;
  settings.persistence.batch_runs_max = 1;
  actor_world world(settings);
  const auto flow = workflow_builder("short").step("one").call(scripted()).build();
  const auto keyed = [](start_request& request) { request.idempotency_key = "once"; };
  world.start(flow, keyed);
  world.settle();
  world.calls->answer("one", "{}");
  world.start(flow);
  world.settle();
  bool away = true;
  bool start_away = true;
  world.manners->on_append = [&](const std::vector<run_append>& batch) {
    return away || (start_away && batch.front().key) ? model_fault::transient : model_fault::none;
  };
  world.calls->answer("one", "{}"); // Keeps the writer busy, so that start and slot share a batch.
  world.settle();
  world.start(flow, [](start_request& request) { request.input = "no JSON"; }); // Gives its slot back at once.
  auto again = world.start(flow, keyed);
  world.settle();
  away = false;
  world.advance(10s); // Longer than between two projections, and nobody knows yet that it is no new run.
  start_away = false;
  world.advance(10s);
  BOOST_TEST(again->run().repeated);
  BOOST_TEST(world.database->rows().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_call_that_cannot_be_begun_is_an_attempt_that_failed) {
  using throws = scripted_calls::throws;
  // The second kind kills the step's actor.
  for (const auto& [what, said] : {
         std::pair(throws::exception, "the executor is broken"),
         std::pair(throws::anything, "the actor that made the call died"),
       }) {
    actor_world world;
    auto start = world.start(workflow_builder("mortal").step("one").call(scripted()).attempts(2).build());
    world.settle();
    world.calls->answer("one", failure(call_failure::kind_type::retryable));
    world.calls->throw_on_begin = what;
    world.advance(1100ms);
    const auto row = world.row(start->run().run);
    BOOST_TEST((row.status == run_status::failed));
    BOOST_TEST(row.error_message.value_or("").find(said) != std::string::npos);
    BOOST_TEST(world.status().runs_live == 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
