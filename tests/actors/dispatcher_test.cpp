// Admission, limits, and what becomes of runs when the node loses its shards or its life.
#include <boost/test/unit_test.hpp>
#include <set>
#include <stdexcept>

#include <caf/send.hpp>
#include <nlohmann/json.hpp>

#include "actors/start_fingerprint.hpp"
#include "persistence/sha256.hpp"
#include "tests/support/actor_world.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

workflow_ptr one_step() {
  return workflow_builder("one_step").step("one").call(function_call{"scripted"}).timeout(1h).build();
}

actor_world::options with_slots(size_t running, size_t waiting = 1000) {
  actor_world::options settings;
  settings.dispatcher.runs_running_max = running;
  settings.dispatcher.runs_waiting_max = waiting;
  return settings;
}

} // namespace

BOOST_AUTO_TEST_SUITE(dispatcher_test)

BOOST_AUTO_TEST_CASE(a_run_beyond_the_limit_waits_durably_and_says_whose_limit_it_is) {
  actor_world world(with_slots(1));
  auto first = world.start(one_step());
  auto second = world.start(one_step());
  world.settle();
  const auto run = second->run().run;
  BOOST_TEST((world.row(run).status == run_status::pending));
  BOOST_TEST(world.calls->calls().size() == 1u);
  const auto said = world.explain_run(run);
  BOOST_TEST_REQUIRE(!said.waits.empty());
  BOOST_TEST(said.waits.front().kind == "slot");
  BOOST_TEST(said.waits.front().text.find("runs_running_max") != std::string::npos);
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST(world.calls->calls().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_full_waiting_room_refuses_with_a_time_to_come_back) {
  actor_world world(with_slots(1, 2));
  for (int i = 0; i < 3; ++i)
    world.start(one_step());
  auto refused = world.start(one_step());
  world.settle();
  BOOST_TEST((refused->refusal().reason == start_refused::reason_type::busy));
  BOOST_TEST(refused->refusal().message.find("runs_waiting_max") != std::string::npos);
  BOOST_TEST(refused->refusal().retry_after.has_value());
  BOOST_TEST(world.database->rows().size() == 3u);
}

BOOST_AUTO_TEST_CASE(starts_are_refused_while_the_database_is_behind) {
  actor_world world;
  world.pressure = append_pressure{101ms, 200, true};
  auto refused = world.start(one_step());
  world.settle();
  BOOST_TEST((refused->refusal().reason == start_refused::reason_type::busy));
  BOOST_TEST(
    refused->refusal().message ==
    "the database is behind: 200 appends wait for it, the oldest for 101 ms (append_wait_max)");
  BOOST_TEST((refused->refusal().retry_after == 101ms));
  world.pressure = append_pressure{10s, 200, true};
  auto late = world.start(one_step());
  world.settle();
  BOOST_TEST((late->refusal().retry_after == 1s)); // refusal_retry_after
  BOOST_TEST(world.database->rows().empty());
}

BOOST_AUTO_TEST_CASE(a_slow_commit_with_little_to_write_refuses_nobody) {
  actor_world world;
  world.pressure = append_pressure{10s, 199, true};
  auto few = world.start(one_step());
  world.settle();
  // While it takes nothing, other limits count.
  world.pressure = append_pressure{10s, 10'000, false};
  auto away = world.start(one_step());
  world.settle();
  few->run();
  away->run();
}

BOOST_AUTO_TEST_CASE(who_starts_most_is_refused_first) {
  actor_world world;
  const auto of_another = [](start_request& request) {
    request.tenant = {*uuid::parse("22222222-2222-4222-8222-222222222222")};
  };
  for (int i = 0; i < 4; ++i)
    world.start(one_step());
  world.start(one_step(), of_another);
  world.settle();
  world.pressure = append_pressure{11ms, 200, true};
  auto flooding = world.start(one_step());
  auto quiet = world.start(one_step(), of_another);
  world.settle();
  BOOST_TEST(
    flooding->refusal().message ==
    "the database is behind: 200 appends wait for it, the oldest for 11 ms (append_wait_fair_max, for tenants that "
    "start much more than others)");
  BOOST_TEST((flooding->refusal().retry_after == 100ms)); // congestion_retry_after_min
  quiet->run();
  // Its share is that of the last seconds.
  world.advance(2s);
  auto later = world.start(one_step());
  world.settle();
  later->run();
}

BOOST_AUTO_TEST_CASE(starts_that_cannot_become_durable_are_bounded) {
  actor_world::options settings;
  settings.dispatcher.starts_unsettled_max = 10;
  actor_world world(settings);
  auto away = std::make_shared<bool>(true);
  world.manners->on_append = [away](const auto&) { return *away ? model_fault::transient : model_fault::none; };
  std::vector<std::shared_ptr<actor_world::started>> starts;
  for (int i = 0; i < 15; ++i)
    starts.push_back(world.start(one_step()));
  world.settle();
  for (int i = 10; i < 15; ++i)
    BOOST_TEST(starts[i]->refusal().message.find("starts_unsettled_max") != std::string::npos);
  *away = false;
  world.advance(1s);
  for (int i = 0; i < 10; ++i)
    BOOST_TEST(world.row(starts[i]->run().run).saga_steps_total == 1);
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_that_waits_leaves_the_line) {
  actor_world world(with_slots(1));
  world.start(one_step());
  auto second = world.start(one_step());
  world.settle();
  world.ask(second->run().run, cancel_asked{"mara", ""});
  world.settle();
  BOOST_TEST((world.row(second->run().run).status == run_status::cancelled));
  BOOST_TEST(world.status().runs_waiting == 0u);
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST(world.status().runs_live == 0u);
  BOOST_TEST(world.calls->calls().size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_same_key_starts_one_run_and_frees_its_slot) {
  actor_world world(with_slots(2));
  const auto keyed = [](start_request& x) { x.idempotency_key = "tonight"; };
  auto first = world.start(one_step(), keyed);
  auto again = world.start(one_step(), keyed);
  world.settle();
  BOOST_TEST((first->run().run == again->run().run));
  BOOST_TEST(again->run().repeated);
  BOOST_TEST(world.database->rows().size() == 1u);
  BOOST_TEST(world.status().runs_running == 1u);
}

BOOST_AUTO_TEST_CASE(a_start_is_the_same_whichever_version_is_the_newest_and_whoever_asks) {
  actor_world world;
  const auto of_version = [](int32_t version, bool named) {
    auto changed = std::make_shared<workflow_definition>(*one_step());
    changed->version = version;
    return [workflow = workflow_ptr(changed), named](start_request& x) {
      x.idempotency_key = "tonight";
      x.workflow = workflow;
      x.version_named = named;
      x.triggered_by = "user" + std::to_string(workflow->version);
    };
  };
  auto first = world.start(one_step(), of_version(1, false));
  world.settle();
  auto again = world.start(one_step(), of_version(2, false));
  auto same_version = world.start(one_step(), of_version(1, true));
  auto other_version = world.start(one_step(), of_version(2, true));
  auto other_priority = world.start(one_step(), [&](start_request& x) {
    of_version(2, false)(x);
    x.priority = "high";
  });
  world.settle();
  BOOST_TEST((again->run().run == first->run().run));
  BOOST_TEST(again->run().repeated);
  BOOST_TEST(same_version->run().repeated);
  BOOST_TEST((other_version->refusal().reason == start_refused::reason_type::key_conflict));
  BOOST_TEST((other_priority->refusal().reason == start_refused::reason_type::key_conflict));
}

BOOST_AUTO_TEST_CASE(a_start_of_an_older_daemon_is_recognised) {
  // As it was kept when version and trigger stood in the fingerprint.
  start_request request{.tenant = actor_world::tenant, .workflow = one_step(), .version_named = false};
  request.idempotency_key = "tonight";
  const auto key = start_key_of(request);
  BOOST_TEST(key.fingerprint.size() == 64u);
  BOOST_TEST(!key.version.has_value());
  const nlohmann::json kept = {one_step()->name, 7, "manual", "normal", "anna", "{}", ""};
  BOOST_TEST(key.older_fingerprint(7, "anna") == sha256_hex(kept.dump()));
}

BOOST_AUTO_TEST_CASE(a_start_that_gets_its_slot_before_it_turns_out_to_be_none_writes_nothing) {
  // Given: a key that is used, a run with the only slot that is refused, and a start with the key behind it.
  auto settings = with_slots(1);
  settings.persistence.batch_runs_max = 1;
  actor_world world(settings);
  const auto with_key = [](start_request& request) { request.idempotency_key = "night"; };
  auto first = world.start(one_step(), with_key);
  world.settle();
  world.calls->answer("one", "{}");
  world.settle();
  size_t batches = 0;
  bool database_is_back = false;
  std::set<run_id> seen;
  world.manners->on_append = [&](const std::vector<run_append>& batch) {
    for (const auto& each : batch)
      seen.insert(each.run);
    return ++batches == 1 || database_is_back ? model_fault::none : model_fault::transient;
  };
  world.manners->on_row = [&](const run_append&) {
    return batches == 1 ? std::optional<std::string>("no such row") : std::nullopt;
  };
  auto refused = world.start(one_step());
  auto twin = world.start(one_step(), with_key);
  world.settle();
  // When: the slot is free, and only then the database says that the start is none.
  BOOST_TEST((refused->refusal().reason == start_refused::reason_type::rejected));
  BOOST_TEST(!twin->outcome.has_value());
  database_is_back = true;
  world.advance(10s);
  // Then
  BOOST_TEST(twin->run().repeated);
  BOOST_TEST(seen.size() == 2u);
  for (const auto& run : seen)
    BOOST_TEST(world.story(run).empty());
  BOOST_TEST(world.status().runs_live == 0u);
}

BOOST_AUTO_TEST_CASE(a_crash_loses_no_acknowledged_run_and_calls_again_with_the_same_key) {
  actor_world world(with_slots(2));
  std::vector<run_id> runs;
  for (int i = 0; i < 3; ++i) {
    auto start = world.start(one_step());
    world.settle();
    runs.push_back(start->run().run);
  }
  world.crash();
  world.boot();
  world.settle();
  BOOST_TEST(world.status().runs_live == 3u);
  BOOST_TEST(world.status().runs_waiting == 1u);
  BOOST_TEST(world.calls->count(to_string(runs[0]) + "/one") == 2u);
  BOOST_TEST(world.calls->calls().back().request.attempt == 1u);
  world.calls->answer("one", "{}");
  world.settle();
  world.calls->answer("one", "{}");
  world.settle();
  for (const auto& run : runs) {
    BOOST_TEST((world.row(run).status == run_status::completed));
    world.check_row_equals_fold(run);
  }
}

BOOST_AUTO_TEST_CASE(timers_continue_after_a_crash) {
  actor_world world;
  auto start =
    world.start(workflow_builder("retry").step("one").call(function_call{"scripted"}).attempts(2).timeout(1h).build());
  world.settle();
  world.calls->answer("one", call_failure{call_failure::kind_type::retryable, "not now", std::nullopt});
  world.settle();
  world.crash();
  world.boot();
  world.advance(900ms);
  BOOST_TEST(world.calls->calls().size() == 1u);
  world.advance(200ms);
  BOOST_TEST(world.calls->calls().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_run_that_was_retried_by_hand_survives_a_crash_right_after) {
  actor_world world;
  auto start = world.start(one_step());
  world.settle();
  const auto run = start->run().run;
  world.calls->answer("one", call_failure{call_failure::kind_type::final, "no", std::nullopt});
  world.settle();
  world.ask(run, retry_asked{"mara"});
  world.settle();
  world.crash();
  world.boot();
  BOOST_TEST(world.status().runs_live == 1u);
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::completed));
  world.check_row_equals_fold(run);
}

BOOST_AUTO_TEST_CASE(a_run_whose_actor_died_is_read_back_as_soon_as_the_journal_answers) {
  actor_world world;
  auto readable = std::make_shared<bool>(false);
  auto asked = std::make_shared<int>(0);
  world.manners->can_read = [readable, asked] {
    ++*asked;
    return *readable;
  };
  start_request request;
  request.tenant = actor_world::tenant;
  request.workflow = one_step();
  world.workflows->put(request.workflow, world.now());
  // A receiver that throws kills the actor that tells it.
  caf::anon_send(
    world.dispatch, start_run{std::move(request), [](const start_outcome&) { throw std::runtime_error("no ear"); }});
  world.settle();
  BOOST_TEST(world.status().runs_live == 0u);
  world.advance(5s);
  // About once a second, not as fast as it can.
  BOOST_TEST(*asked >= 4);
  BOOST_TEST(*asked <= 7);
  *readable = true;
  world.advance(2s);
  BOOST_TEST(world.status().runs_live == 1u);
  world.calls->answer("one", "{}");
  world.settle();
  const auto rows = world.database->rows();
  BOOST_TEST_REQUIRE(rows.size() == 1u);
  BOOST_TEST((rows.front().status == run_status::completed));
  world.check_row_equals_fold(rows.front().id);
}

BOOST_AUTO_TEST_CASE(recovery_goes_page_by_page) {
  actor_world::options settings = with_slots(1000);
  settings.recovery.page_runs_max = 7;
  actor_world world(settings);
  for (int i = 0; i < 50; ++i)
    world.start(one_step());
  world.settle();
  world.crash();
  world.boot();
  BOOST_TEST(world.status().runs_live < 50u);
  world.advance(1s);
  BOOST_TEST(world.status().runs_live == 50u);
  BOOST_TEST(world.status().shards_ready == shard_count);
}

BOOST_AUTO_TEST_CASE(a_node_that_lost_its_shards_stops_its_runs_and_comes_back_for_them) {
  actor_world world;
  auto start = world.start(one_step());
  world.settle();
  const auto run = start->run().run;
  world.database->set_epoch(shard_of(run), world.database->epoch(shard_of(run)) + 5);
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::running));
  // It joins as a new node and finds the run where the journal has it.
  world.advance(10s);
  BOOST_TEST(world.status().runs_live == 1u);
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_heartbeat_finds_out_that_a_shard_is_lost_though_nothing_is_written) {
  actor_world world;
  auto start = world.start(one_step());
  world.settle();
  const auto shard = shard_of(start->run().run);
  world.advance(2s);
  world.database->set_epoch(shard, world.database->epoch(shard) + 5);
  world.advance(2s);
  // The run was stopped and taken up again by the same program under a new epoch: its call was made again.
  BOOST_TEST(world.database->epoch(shard) > 6);
  BOOST_TEST(world.calls->calls().size() == 2u);
  BOOST_TEST(world.calls->calls().front().given_up);
}

BOOST_AUTO_TEST_CASE(an_outage_longer_than_the_lease_costs_no_call) {
  actor_world world;
  auto start = world.start(one_step());
  world.settle();
  auto away = std::make_shared<bool>(true);
  world.manners->on_append = [away](const auto&) { return *away ? model_fault::transient : model_fault::none; };
  world.calls->answer("one", "{}");
  world.advance(60s);
  *away = false;
  world.advance(10s);
  BOOST_TEST((world.row(start->run().run).status == run_status::completed));
  BOOST_TEST(world.calls->calls().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_commit_in_doubt_is_resolved_and_nothing_is_written_twice) {
  for (const auto fault : {model_fault::in_doubt_before_commit, model_fault::in_doubt_after_commit}) {
    actor_world world;
    auto start = world.start(one_step());
    world.settle();
    auto once = std::make_shared<bool>(true);
    world.manners->on_append = [once, fault](const auto&) {
      return std::exchange(*once, false) ? fault : model_fault::none;
    };
    world.calls->answer("one", "{}");
    world.advance(2s);
    const auto run = start->run().run;
    BOOST_TEST((world.row(run).status == run_status::completed));
    BOOST_TEST(world.story(run).size() == 4u);
    BOOST_TEST(world.status().runs_live == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_shard_is_let_go_when_its_runs_have_left_though_others_leave_as_well) {
  actor_world world;
  bool away = true;
  world.manners->on_append = [&](const auto&) { return away ? model_fault::transient : model_fault::none; };
  auto start = world.start(one_step());
  world.settle();
  // Its run is on its way to the database when the first half leaves, and still when the second does.
  for (const shard_number first : {0, 32}) {
    hand_over_shards half;
    for (shard_number i = 0; i < 32; ++i)
      half.shards.push_back({static_cast<shard_number>(first + i), 1});
    caf::anon_send(world.dispatch, std::move(half));
    world.settle();
  }
  BOOST_TEST(world.status().shards_leaving == 1u);
  away = false;
  world.advance(1s);
  BOOST_TEST(shard_of(start->run().run) < 32);
  BOOST_TEST(world.status().shards_leaving == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
