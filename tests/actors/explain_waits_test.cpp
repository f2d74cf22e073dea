// Every kind of wait, asked of a node: what explain names, where, since when and until when.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>

#include "tests/support/actor_world.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

call_spec scripted() {
  return function_call{"scripted"};
}

call_failure failure(call_failure::kind_type kind = call_failure::kind_type::retryable) {
  return {kind, "the oven is cold", std::nullopt};
}

run_id started(actor_world& world, const workflow_ptr& workflow) {
  auto start = world.start(workflow);
  world.settle();
  return start->run().run;
}

/// A node whose calls are in a line until their turn is given.
class calls_in_line : public scripted_calls {
public:
  call_in_flight begin_told(call_request request, call_done done, call_told told) override {
    told_ = std::move(told);
    return begin(std::move(request), std::move(done));
  }
  void give_turn() { told_({call_news::kind_type::in_flight}); }

private:
  call_told told_;
};

/// The wait of this kind; fails the test when there is none.
wait_reason wait_of(actor_world& world, const run_id& run, const std::string& kind) {
  const auto told = world.explain_run(run);
  const auto found =
    std::find_if(told.waits.begin(), told.waits.end(), [&](const wait_reason& each) { return each.kind == kind; });
  std::string kinds;
  for (const auto& each : told.waits)
    kinds += each.kind + ": " + each.text + "; ";
  BOOST_TEST_REQUIRE((found != told.waits.end()), "no wait of the kind " << kind << " among " << kinds);
  return *found;
}

} // namespace

BOOST_AUTO_TEST_SUITE(explain_waits_test)

BOOST_AUTO_TEST_CASE(a_running_call_says_where_it_is_since_when_and_until_when) {
  actor_world world;
  world.advance(3s);
  const auto run = started(world, workflow_builder("call").step("one").call(scripted()).timeout(5s).build());
  const auto call = wait_of(world, run, "call");
  BOOST_TEST(call.place == "function scripted");
  BOOST_TEST(call.step == "one");
  BOOST_TEST((call.since == world.now()));
  BOOST_TEST((call.until == world.now() + 5s));
  BOOST_TEST(call.text == "step one: attempt 1, function scripted, is out since 00:00:03Z; its deadline is 00:00:08Z");
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_its_turn_says_so_and_so_does_its_outcome) {
  actor_world world;
  const auto line = std::make_shared<calls_in_line>();
  world.calls = line;
  world.crash();
  world.boot();
  const auto run =
    started(world, workflow_builder("call").step("one").call(scripted()).timeout(1min).queue_timeout(1h).build());
  const auto accepted = world.now();
  world.advance(10s);
  const auto waits = wait_of(world, run, "queue");
  BOOST_TEST(waits.step == "one");
  BOOST_TEST(waits.place == "function scripted");
  BOOST_TEST((waits.since == accepted));
  BOOST_TEST((waits.until == accepted + 1h));

  line->give_turn();
  world.settle();
  world.advance(30s);
  const auto works = wait_of(world, run, "call");
  BOOST_TEST((works.since == accepted + 10s));
  BOOST_TEST((works.until == accepted + 10s + 1min));
  BOOST_TEST(works.text.find(", after it waited 10s") != std::string::npos, works.text);

  world.calls->answer("one", "{}");
  world.settle();
  const auto events = world.database->events(run);
  const auto done = std::ranges::find(events, event_kind::step_succeeded, &event_record::kind);
  BOOST_TEST_REQUIRE((done != events.end()));
  BOOST_TEST(done->body == R"({"output":{},"queued_us":10000000})");
}

BOOST_AUTO_TEST_CASE(a_call_that_was_taken_over_says_when_it_was_made_again) {
  actor_world world;
  const auto run = started(world, workflow_builder("call").step("one").call(scripted()).timeout(30s).build());
  const auto began = world.now();
  world.crash();
  world.advance(10s);
  world.boot();
  const auto call = wait_of(world, run, "call");
  BOOST_TEST((call.since == began));
  BOOST_TEST((call.until == world.now() + 30s));
  BOOST_TEST(call.text.find("was made again at 00:00:10Z, when the run was taken up") != std::string::npos, call.text);
}

BOOST_AUTO_TEST_CASE(a_call_that_began_late_was_not_made_again) {
  // Its event is older than the call, since the database took its time for the commit.
  actor_world world;
  bool away = false;
  world.manners->on_append = [&](const auto&) { return away ? model_fault::transient : model_fault::none; };
  const auto run = started(
    world, workflow_builder("two")
             .step("one")
             .call(scripted())
             .step("two")
             .call(scripted())
             .needs({"one"})
             .timeout(30s)
             .build());
  away = true;
  world.calls->answer("one", "{}");
  world.advance(3s);
  away = false;
  world.advance(5s);
  const auto call = wait_of(world, run, "call");
  BOOST_TEST(call.step == "two");
  BOOST_TEST(call.text.find("made again") == std::string::npos, call.text);
}

BOOST_AUTO_TEST_CASE(a_retry_says_when_and_why) {
  actor_world world;
  const auto run = started(world, workflow_builder("retry").step("one").call(scripted()).attempts(3).build());
  world.calls->answer("one", failure());
  world.settle();
  const auto retry = wait_of(world, run, "retry");
  BOOST_TEST((retry.until == world.now() + 1s));
  BOOST_TEST(
    retry.text == "step one: attempt 2 is due at 00:00:01Z, because attempt 1 failed: the oven is cold (retryable)");
}

BOOST_AUTO_TEST_CASE(a_retry_of_the_run_says_when_and_why) {
  actor_world world;
  const auto run = started(world, workflow_builder("again").run_retries(2).step("one").call(scripted()).build());
  world.calls->answer("one", failure());
  world.settle();
  const auto retry = wait_of(world, run, "run_retry");
  BOOST_TEST((retry.until == world.now() + 1min));
  BOOST_TEST(retry.text.starts_with("retry 1 of at most 2 is due at 00:01:00Z"), retry.text);
}

BOOST_AUTO_TEST_CASE(a_step_names_the_steps_it_waits_for) {
  actor_world world;
  const auto run = started(
    world, workflow_builder("join")
             .step("one")
             .call(scripted())
             .step("two")
             .call(scripted())
             .step("three")
             .call(scripted())
             .needs({"one"})
             .after({"two"})
             .build());
  BOOST_TEST(wait_of(world, run, "steps").text == "step three: waits for one, two");
}

BOOST_AUTO_TEST_CASE(a_run_without_a_slot_says_whose_limit_it_is) {
  for (const bool in_all : {true, false}) {
    actor_world::options settings;
    (in_all ? settings.dispatcher.runs_running_max : settings.dispatcher.runs_running_per_tenant_max) = 1;
    actor_world world(settings);
    const auto flow = workflow_builder("slot").step("one").call(scripted()).build();
    started(world, flow);
    const auto run = started(world, flow);
    const auto slot = wait_of(world, run, "slot");
    BOOST_TEST(
      slot.text.find(
        in_all ? "(runs_running_max); 1 wait at priority normal or above" : "(runs_running_per_tenant_max = 1)") !=
        std::string::npos,
      slot.text);
    BOOST_TEST((slot.since == world.now()));
  }
}

BOOST_AUTO_TEST_CASE(a_pause_says_by_whom_and_since_when) {
  actor_world world;
  const auto run = started(world, workflow_builder("pause").step("one").call(scripted()).build());
  world.ask(run, pause_asked{"mara"});
  world.settle();
  const auto pause = wait_of(world, run, "pause");
  BOOST_TEST((pause.since == world.now()));
  BOOST_TEST(pause.text.starts_with("the run is paused by mara since 00:00:00Z"), pause.text);
}

BOOST_AUTO_TEST_CASE(what_waits_for_the_database_says_how_much_since_when_and_why) {
  actor_world world;
  const auto run = started(
    world, workflow_builder("away").step("one").call(scripted()).step("two").call(scripted()).needs({"one"}).build());
  world.manners->on_append = [](const auto&) { return model_fault::transient; };
  world.calls->answer("one", "{}");
  world.settle();
  const auto began = world.now();
  world.advance(2s);
  const auto told = world.explain_run(run);
  BOOST_TEST_REQUIRE(told.waits.size() == 2u);
  BOOST_TEST(told.waits[0].kind == "database");
  BOOST_TEST(
    told.waits[0].text ==
    "step two: attempt 1, function scripted, begins once what it follows from is in the database");
  BOOST_TEST(told.waits[1].kind == "database");
  BOOST_TEST((told.waits[1].since == began));
  BOOST_TEST(
    told.waits[1].text == "1 of its events is on its way to the database since 00:00:00Z, which takes nothing: the "
                          "model has lost its database");
}

BOOST_AUTO_TEST_CASE(a_gate_for_workers_that_is_not_there_is_named) {
  actor_world world;
  const auto run = started(world, workflow_builder("work").step("one").call(worker_call{"mixing"}).attempts(3).build());
  const auto worker = wait_of(world, run, "worker");
  BOOST_TEST(
    worker.text == "step one: attempt 1, worker kind mixing, waits for a gate for workers on node world: start it with "
                   "--cluster");
  BOOST_TEST(worker.place == "worker kind mixing");
  BOOST_TEST(!worker.until.has_value());
}

BOOST_AUTO_TEST_CASE(a_compensation_says_what_is_out_and_then_when_it_is_tried_again) {
  actor_world world;
  const compensation_spec undo{.call = scripted(), .timeout = 7s, .retry = {.max_attempts = 2, .jitter = 0}};
  const auto run = started(
    world, workflow_builder("saga")
             .step("one")
             .call(scripted())
             .compensate(undo)
             .step("two")
             .call(scripted())
             .needs({"one"})
             .build());
  world.calls->answer("one", "{}");
  world.settle();
  world.calls->answer("two", failure(call_failure::kind_type::final));
  world.settle();
  const auto out = wait_of(world, run, "compensation");
  BOOST_TEST((out.until == world.now() + 7s));
  BOOST_TEST(out.place == "function scripted");
  world.calls->answer("one", failure(), true);
  world.settle();
  const auto retry = wait_of(world, run, "compensation_retry");
  BOOST_TEST((retry.until == world.now() + 500ms));
  BOOST_TEST(retry.text.find("because attempt 1 failed: the oven is cold") != std::string::npos, retry.text);
  world.advance(1s);
  world.calls->answer("one", failure(), true);
  world.settle();
  // Given up: a person has to look.
  const auto attention = wait_of(world, run, "attention");
  BOOST_TEST(
    attention.text ==
    "a person has to look at it: the compensation of step one failed after 2 attempts: the oven is cold");
  BOOST_TEST(wait_of(world, run, "nothing").text == "the run has ended; it waits for nothing");
}

BOOST_AUTO_TEST_CASE(a_run_of_another_node_says_that_somebody_else_acts_for_it) {
  actor_world world;
  const auto run = started(world, workflow_builder("call").step("one").call(scripted()).timeout(1h).build());
  const auto database = world.database;
  world.crash();
  world.leaves_shards_alone = true;
  world.boot();
  BOOST_TEST(wait_of(world, run, "owner").text.find("is not this node's") != std::string::npos);
  BOOST_TEST(wait_of(world, run, "call").step == "one");
}

BOOST_AUTO_TEST_CASE(a_run_that_is_being_taken_up_says_so) {
  actor_world world({.recovery = {.retry_interval = 10s}});
  const auto run = started(world, workflow_builder("call").step("one").call(scripted()).timeout(1h).build());
  world.crash();
  // The first page cannot be read, and then the database is back before recovery asks again.
  auto reads = std::make_shared<int>(0);
  world.manners->can_read = [reads] { return ++*reads > 1; };
  world.boot();
  BOOST_TEST(wait_of(world, run, "recovery").text == "the run is about to be taken up by this node");
  const auto told = world.ask(run, cancel_asked{"mara", ""});
  world.settle();
  BOOST_TEST((std::get<wish_refused>(told->value()).reason == wish_refused::reason_type::unavailable));
  world.advance(11s);
  BOOST_TEST(wait_of(world, run, "call").step == "one");
}

BOOST_AUTO_TEST_SUITE_END()
