// Memory by bytes: what runs and their calls hold, who waits for it, and who is refused.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <optional>

#include <caf/send.hpp>

#include "tests/actors/scripted_runs.hpp"
#include "tests/support/has.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

constexpr size_t kibibyte = 1024;

std::string text_of(size_t bytes) {
  return '"' + std::string(bytes - 2, 'x') + '"';
}

call_spec oven() {
  return http_call{.method = "POST", .url = "http://oven/bake", .headers = {}};
}

workflow_ptr baking(std::optional<duration> queue_timeout = {}) {
  workflow_builder builder("baking");
  builder.step("bake").call(oven()).timeout(1h);
  if (queue_timeout)
    builder.queue_timeout(*queue_timeout);
  return builder.build();
}

std::shared_ptr<actor_world::started> start_large(actor_world& world, const workflow_ptr& workflow, size_t bytes) {
  // Each its own text: calls that carry the same share one.
  static char mark = 'a';
  mark = mark == 'z' ? 'a' : static_cast<char>(mark + 1);
  return world.start(workflow, [&](start_request& request) {
    request.input = text_of(bytes);
    request.input[1] = mark;
  });
}

actor_world::options with_calls_bytes(uint64_t bytes) {
  actor_world::options settings;
  settings.calls_bytes_max = bytes;
  return settings;
}

actor_world::options with_runs_bytes(size_t bytes) {
  actor_world::options settings;
  settings.dispatcher.runs_bytes_max = bytes;
  return settings;
}

size_t calls_out(const actor_world& world) {
  return static_cast<size_t>(
    std::ranges::count_if(world.calls->calls(), [](const auto& each) { return each.done && !each.given_up; }));
}

} // namespace

BOOST_AUTO_TEST_SUITE(call_memory_test)

BOOST_AUTO_TEST_CASE(calls_beyond_calls_bytes_max_wait_and_all_runs_end) {
  actor_world world(with_calls_bytes(1000 * kibibyte));
  std::vector<std::shared_ptr<actor_world::started>> runs;
  for (int i = 0; i < 20; ++i)
    runs.push_back(start_large(world, baking(), 100 * kibibyte));
  world.settle();
  // Half of the room is for one service.
  BOOST_TEST(calls_out(world) == 4u);
  BOOST_TEST(world.call_memory->read().calls_waiting == 16u);
  BOOST_TEST(world.call_memory->read().bytes <= 500 * kibibyte);
  world.advance(10min);
  BOOST_TEST(calls_out(world) == 4u);
  while (world.calls->waits("bake")) {
    BOOST_TEST(calls_out(world) <= 4u);
    world.calls->answer("bake", "{}");
    world.settle();
  }
  for (const auto& each : runs)
    BOOST_TEST((world.row(each->run().run).status == run_status::completed));
  BOOST_TEST(world.calls->calls().size() == 20u);
  BOOST_TEST(world.call_memory->read().bytes == 0u);
  BOOST_TEST(world.run_memory->bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_room_says_so_and_names_the_limit) {
  actor_world world(with_calls_bytes(100 * kibibyte));
  start_large(world, baking(), 80 * kibibyte);
  auto second = start_large(world, baking(), 80 * kibibyte);
  world.settle();
  const auto said = world.explain_run(second->run().run);
  BOOST_TEST_REQUIRE(said.waits.size() == 1u);
  BOOST_TEST(said.waits.front().kind == "queue");
  BOOST_TEST(has(said.waits.front().text, "at most 102400 are allowed (calls_bytes_max)"), said.waits.front().text);
}

BOOST_AUTO_TEST_CASE(a_call_larger_than_the_budget_goes_through_alone) {
  actor_world world(with_calls_bytes(10));
  auto first = start_large(world, baking(), 300 * kibibyte);
  auto second = start_large(world, baking(), 300 * kibibyte);
  world.settle();
  BOOST_TEST(calls_out(world) == 1u);
  world.calls->answer("bake", "{}");
  world.settle();
  BOOST_TEST(calls_out(world) == 1u);
  world.calls->answer("bake", "{}");
  world.settle();
  for (const auto& each : {first, second})
    BOOST_TEST((world.row(each->run().run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_call_that_waited_for_room_carries_what_it_would_have_carried_at_once) {
  actor_world world(with_calls_bytes(1));
  start_large(world, baking(), 80 * kibibyte);
  auto second = start_large(world, baking(), 90 * kibibyte);
  world.settle();
  world.calls->answer("bake", "{}");
  world.settle();
  const auto& request = world.calls->calls().back().request;
  BOOST_TEST((request.run == second->run().run));
  BOOST_TEST(request.attempt == 1u);
  const auto body = request.body + (request.body_rest ? *request.body_rest : "");
  BOOST_TEST(has(body, "\"input\":\""));
  BOOST_TEST(body.size() > 90 * kibibyte);
  BOOST_TEST((std::get<http_call>(request.call).url == "http://oven/bake"));
}

BOOST_AUTO_TEST_CASE(calls_of_a_run_that_carry_the_same_results_hold_their_text_once) {
  actor_world world(with_calls_bytes(1000 * kibibyte));
  workflow_builder builder("many");
  for (const char* name : {"a", "b", "c", "d", "e"})
    builder.step(name).call(oven()).timeout(1h);
  auto start = start_large(world, builder.build(), 400 * kibibyte);
  world.settle();
  BOOST_TEST(calls_out(world) == 5u);
  BOOST_TEST(world.call_memory->read().bytes < 410 * kibibyte);
  BOOST_TEST(world.call_memory->read().bytes > 400 * kibibyte);
}

BOOST_AUTO_TEST_CASE(a_service_that_hangs_leaves_room_for_the_others) {
  actor_world world(with_calls_bytes(100 * kibibyte));
  for (int i = 0; i < 10; ++i)
    start_large(world, baking(), 20 * kibibyte);
  const auto other = workflow_builder("other")
                       .step("mill")
                       .call(http_call{.method = "POST", .url = "http://mill/grind", .headers = {}})
                       .timeout(1h)
                       .build();
  start_large(world, other, 20 * kibibyte);
  world.settle();
  BOOST_TEST(world.calls->waits("mill"));
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_room_is_taken_back_with_its_run) {
  actor_world world(with_calls_bytes(1));
  start_large(world, baking(), 80 * kibibyte);
  auto second = start_large(world, baking(), 80 * kibibyte);
  world.settle();
  auto cancelled = world.ask(second->run().run, cancel_asked{"mara", ""});
  world.settle();
  BOOST_TEST_REQUIRE(cancelled->has_value());
  BOOST_TEST((world.row(second->run().run).status == run_status::cancelled));
  BOOST_TEST(world.calls->calls().size() == 1u);
  BOOST_TEST(world.call_memory->read().calls_waiting == 0u);
}

/// The room for a run's call comes while its termination is on the way to the database. `refused`: that refuses it.
size_t calls_after_a_termination(bool refused) {
  actor_world world(with_calls_bytes(1));
  auto away = std::make_shared<bool>(false);
  database_away(world, away);
  start_large(world, baking(), 80 * kibibyte);
  auto second = start_large(world, baking(), 80 * kibibyte);
  world.settle();
  const auto run = second->run().run;
  if (refused)
    world.manners->on_row = [&](const run_append& append) -> std::optional<std::string> {
      const bool ends = std::ranges::any_of(
        append.events, [](const auto& each) { return each.kind == event_kind::terminate_requested; });
      return ends ? std::optional<std::string>("unwanted") : std::nullopt;
    };
  *away = true;
  world.ask(run, terminate_asked{"mara", "fire"});
  world.settle();
  world.calls->answer("bake", "{}");
  world.settle();
  BOOST_TEST(world.calls->calls().size() == 1u);
  *away = false;
  world.advance(10s);
  BOOST_TEST((world.row(run).status == (refused ? run_status::running : run_status::cancelled)));
  BOOST_TEST(world.call_memory->read().calls_waiting == 0u);
  return world.calls->calls().size();
}

BOOST_AUTO_TEST_CASE(a_terminated_run_makes_no_call_for_which_room_comes_too_late) {
  BOOST_TEST(calls_after_a_termination(false) == 1u);
}

BOOST_AUTO_TEST_CASE(a_run_whose_termination_is_refused_makes_the_call_for_which_room_has_come) {
  BOOST_TEST(calls_after_a_termination(true) == 2u);
}

BOOST_AUTO_TEST_CASE(a_paused_run_stands_in_no_line_for_memory_and_goes_on_when_it_is_resumed) {
  actor_world world(with_calls_bytes(1));
  start_large(world, baking(), 80 * kibibyte);
  auto second = start_large(world, baking(), 80 * kibibyte);
  world.settle();
  const auto run = second->run().run;
  world.ask(run, pause_asked{"mara"});
  world.settle();
  BOOST_TEST(world.call_memory->read().calls_waiting == 0u);
  world.calls->answer("bake", "{}");
  world.settle();
  BOOST_TEST(calls_out(world) == 0u);
  world.ask(run, resume_asked{"mara"});
  world.settle();
  BOOST_TEST(calls_out(world) == 1u);
  world.calls->answer("bake", "{}");
  world.settle();
  BOOST_TEST((world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(the_wait_for_room_counts_towards_the_queue_timeout) {
  actor_world world(with_calls_bytes(1));
  start_large(world, baking(), 80 * kibibyte);
  auto second = start_large(world, baking(10s), 80 * kibibyte);
  world.settle();
  world.advance(11s);
  const auto row = world.row(second->run().run);
  BOOST_TEST((row.status == run_status::failed));
  BOOST_TEST(has(row.error_message.value_or(""), "calls_bytes_max"), row.error_message.value_or(""));
  BOOST_TEST(has(row.error_message.value_or(""), "queue_timeout"), row.error_message.value_or(""));
  BOOST_TEST(world.calls->calls().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_run_that_dies_while_it_waits_for_room_leaves_the_line) {
  actor_world world(with_calls_bytes(1));
  start_large(world, baking(), 80 * kibibyte);
  start_large(world, baking(), 80 * kibibyte);
  world.settle();
  const auto memory = world.call_memory;
  BOOST_TEST(memory->read().calls_waiting == 1u);
  world.crash();
  BOOST_TEST(memory->read().calls_waiting == 0u);
}

// ---- runs -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_start_beyond_runs_bytes_max_is_refused_with_the_limit_and_a_time_to_come_back) {
  actor_world world(with_runs_bytes(1200 * kibibyte));
  auto first = start_large(world, baking(), 90 * kibibyte);
  world.settle();
  first->run();
  // Its input, the writer's, and an answer that may be as large, with its copies on the way.
  BOOST_TEST(world.run_memory->bytes() == 540 * kibibyte);
  auto second = start_large(world, baking(), 90 * kibibyte);
  world.settle();
  second->run();
  auto third = start_large(world, baking(), 90 * kibibyte);
  world.settle();
  const auto refused = third->refusal();
  BOOST_TEST((refused.reason == start_refused::reason_type::busy));
  BOOST_TEST(
    refused.message == "the live runs take 1105920 bytes of memory; with this one, which has 92160 and may come to "
                       "552960, they would take more than 1228800 (runs_bytes_max)");
  BOOST_TEST((refused.retry_after == 1s)); // refusal_retry_after
  // A small one has room.
  auto small = world.start(baking());
  world.settle();
  small->run();
  world.calls->answer("bake", "{}");
  world.settle();
  auto again = start_large(world, baking(), 90 * kibibyte);
  world.settle();
  again->run();
}

BOOST_AUTO_TEST_CASE(a_start_larger_than_the_budget_is_taken_when_nothing_else_is_there) {
  actor_world world(with_runs_bytes(1000));
  auto first = start_large(world, baking(), 90 * kibibyte);
  world.settle();
  first->run();
  auto second = world.start(baking());
  world.settle();
  BOOST_TEST(has(second->refusal().message, "runs_bytes_max"));
}

BOOST_AUTO_TEST_CASE(what_was_accepted_goes_on_whatever_it_comes_to) {
  actor_world world(with_runs_bytes(100 * kibibyte));
  auto start = world.start(chain());
  world.settle();
  world.calls->answer("one", text_of(500 * kibibyte));
  world.settle();
  BOOST_TEST(world.run_memory->bytes() > 500 * kibibyte);
  BOOST_TEST(world.calls->waits("two"));
  auto refused = world.start(chain());
  world.settle();
  BOOST_TEST(has(refused->refusal().message, "runs_bytes_max"));
  world.calls->answer("two", "{}");
  world.settle();
  BOOST_TEST((world.row(start->run().run).status == run_status::completed));
  BOOST_TEST(world.run_memory->bytes() == 0u);
  auto next = world.start(chain());
  world.settle();
  next->run();
}

BOOST_AUTO_TEST_CASE(a_run_counts_from_its_start_with_what_those_before_it_came_to) {
  actor_world world(with_runs_bytes(1000 * kibibyte));
  world.start(baking());
  world.settle();
  BOOST_TEST(world.run_memory->bytes() < 100u);
  world.calls->answer("bake", text_of(200 * kibibyte));
  world.settle();
  BOOST_TEST(world.run_memory->bytes() == 0u);
  auto next = world.start(baking());
  world.settle();
  next->run();
  BOOST_TEST(world.run_memory->bytes() >= 200 * kibibyte);
  auto refused = world.start(baking());
  world.settle();
  BOOST_TEST(has(refused->refusal().message, "which has 2 and may come to"), refused->refusal().message);
  // Those that come to little let it be forgotten.
  world.calls->answer("bake", "{}");
  world.settle();
  for (int i = 0; i < 300; ++i) {
    world.start(baking());
    world.settle();
    world.calls->answer("bake", "{}");
    world.settle();
  }
  world.start(baking());
  world.settle();
  BOOST_TEST(world.run_memory->bytes() < 20 * kibibyte);
}

BOOST_AUTO_TEST_CASE(what_is_on_its_way_to_the_database_counts_too) {
  actor_world world;
  auto away = std::make_shared<bool>(false);
  database_away(world, away);
  world.start(chain());
  world.settle();
  *away = true;
  world.calls->answer("one", text_of(100 * kibibyte));
  world.settle();
  // The state, the event and what the writer has of it, and the answer that may have to be judged again.
  BOOST_TEST(world.run_memory->bytes() >= 400 * kibibyte);
  *away = false;
  world.advance(10s);
  BOOST_TEST(world.run_memory->bytes() < 110 * kibibyte);
}

BOOST_AUTO_TEST_CASE(a_node_that_lost_its_shards_holds_nothing) {
  actor_world world;
  start_large(world, baking(), 90 * kibibyte);
  world.settle();
  BOOST_TEST(world.run_memory->bytes() > 0u);
  caf::anon_send(world.dispatch, shards_lost{});
  world.settle();
  BOOST_TEST(world.run_memory->bytes() == 0u);
  BOOST_TEST(world.call_memory->read().bytes == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
