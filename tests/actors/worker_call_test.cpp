// Steps that workers do: how they wait, how they fail, and what the run says of them.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "actors/cluster/worker_desk.hpp"
#include "tests/support/actor_world.hpp"
#include "tests/support/scripted_workers.hpp"
#include "tests/support/workflow_builder.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

using seat = worker_desk::seat;

/// A node with a desk; the test is its workers.
struct worker_world {
  worker_world()
    : world({.make_workers = [this](std::function<timestamp()> now) {
      desk = std::make_shared<worker_desk>(worker_roster_options{}, std::move(now));
      return desk;
    }}) {}

  run_id start(const workflow_ptr& workflow) {
    const auto told = world.start(workflow);
    world.settle();
    return told->run().run;
  }
  seat join(uint8_t number = 1) { return std::get<seat>(desk->join(hello_of(number, {{"mixing", 4}}))); }
  /// The calls that were given since the last time; fails the test when another number was.
  std::vector<call_given> given(size_t count) {
    std::vector<call_given> found;
    for (auto& each : desk->take_out())
      if (auto* call = std::get_if<call_given>(&each.word))
        found.push_back(std::move(*call));
    BOOST_TEST_REQUIRE(found.size() == count);
    return found;
  }
  template <class Word>
  void say(seat who, const Word& x) {
    BOOST_TEST(desk->take(who, x) == "");
    world.settle();
  }
  wait_reason only_wait(const run_id& run) {
    const auto told = world.explain_run(run);
    BOOST_TEST_REQUIRE(told.waits.size() == 1u);
    return told.waits.front();
  }

  std::shared_ptr<worker_desk> desk;
  actor_world world;
};

workflow_builder mixing(duration timeout = 30s) {
  workflow_builder builder("work");
  builder.step("one").call(worker_call{"mixing"}).timeout(timeout).queue_timeout(30s).attempts(3);
  return builder;
}

call_ended answer_to(const call_given& call, std::string result = "{}") {
  return {call.number, call.epoch, call.key, true, std::move(result), false, 0};
}

} // namespace

BOOST_AUTO_TEST_SUITE(worker_call_test)

BOOST_AUTO_TEST_CASE(a_worker_does_a_step_under_its_key_and_the_shard_s_epoch) {
  worker_world small;
  const auto who = small.join();
  const auto run = small.start(mixing().build());
  const auto call = small.given(1).front();
  BOOST_TEST(call.key == to_string(run) + "/one");
  BOOST_TEST(call.epoch == small.world.database->epoch(shard_of(run)));
  BOOST_TEST((call.run == run.value));
  BOOST_TEST((call.tenant == actor_world::tenant.value));
  BOOST_TEST(call.kind == "mixing");
  BOOST_TEST(call.time_left == 30'000);
  small.say(who, call_begun{call.number});
  small.say(who, answer_to(call, R"({"dough": 3})"));
  BOOST_TEST((small.world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_step_waits_for_a_worker_within_its_queue_timeout) {
  worker_world small;
  const auto run = small.start(mixing().build());
  small.world.advance(29s);
  const auto who = small.join();
  const auto call = small.given(1).front();
  // The attempt's own time begins now.
  BOOST_TEST(call.time_left == 30'000);
  small.say(who, answer_to(call));
  BOOST_TEST((small.world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_step_whose_kind_nobody_offered_in_time_is_tried_again) {
  worker_world small;
  const auto run = small.start(mixing().build());
  auto wait = small.only_wait(run);
  BOOST_TEST(wait.kind == "worker");
  BOOST_TEST(
    wait.text == "step one: attempt 1, worker kind mixing, waits since 00:00:00Z for a worker: no worker offers steps "
                 "of kind 'mixing'; it waits until 00:00:30Z (queue_timeout)");
  BOOST_TEST((wait.until == small.world.now() + 30s));
  small.world.advance(30s);
  wait = small.only_wait(run);
  BOOST_TEST(wait.kind == "worker");
  BOOST_TEST(
    wait.text ==
    "step one: no worker offers steps of kind 'mixing', for 30s (queue_timeout); attempt 2 is due at 00:00:31Z");
  BOOST_TEST((small.desk->figures() == worker_figures{0, 0, 0}));
  small.world.advance(1s);
  const auto who = small.join();
  small.say(who, answer_to(small.given(1).front()));
  BOOST_TEST((small.world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_step_whose_workers_were_busy_all_the_time_times_out_and_says_so) {
  worker_world small;
  const auto who = small.join();
  small.say(who, room_made{"mixing", 0});
  const auto run = small.start(mixing().build());
  auto wait = small.only_wait(run);
  BOOST_TEST(wait.kind == "worker");
  BOOST_TEST(wait.text.find("every worker that offers steps of kind 'mixing' is busy") != std::string::npos, wait.text);
  small.world.advance(30s);
  wait = small.only_wait(run);
  BOOST_TEST(wait.kind == "retry");
  BOOST_TEST(
    wait.text.find("every worker that offers steps of kind 'mixing' is busy, for 30s (queue_timeout) (timeout)") !=
      std::string::npos,
    wait.text);
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_too_slow_is_told_that_nobody_waits) {
  worker_world small;
  const auto who = small.join();
  const auto run = small.start(mixing().build());
  const auto call = small.given(1).front();
  small.world.advance(30s);
  const auto words = small.desk->take_out();
  BOOST_TEST_REQUIRE(words.size() == 1u);
  BOOST_TEST(std::get<call_dropped>(words[0].word).number == call.number);
  BOOST_TEST(!std::get<call_dropped>(words[0].word).moves);
  BOOST_TEST(small.only_wait(run).text.find("failed: no answer within 30s (timeout)") != std::string::npos);
  // What it comes to is of no interest any more.
  small.say(who, answer_to(call));
  BOOST_TEST((small.world.row(run).status == run_status::running));
}

BOOST_AUTO_TEST_CASE(a_worker_goes_on_with_a_step_whose_run_goes_to_another_node) {
  worker_world small;
  const auto who = small.join();
  const auto run = small.start(mixing().build());
  const auto call = small.given(1).front();
  small.say(who, call_begun{call.number});
  const auto shard = shard_of(run);
  caf::anon_send(small.world.dispatch, hand_over_shards{{{shard, small.world.database->epoch(shard)}}});
  small.world.advance(3s);
  const auto words = small.desk->take_out();
  BOOST_TEST_REQUIRE(words.size() == 2u);
  const auto& dropped = std::get<call_dropped>(words[0].word);
  BOOST_TEST(dropped.number == call.number);
  BOOST_TEST(dropped.moves);
  // The next owner, which is this node again, asks for the same.
  const auto& again = std::get<call_given>(words[1].word);
  BOOST_TEST(again.key == call.key);
  BOOST_TEST(again.attempt == call.attempt);
  BOOST_TEST(again.epoch > call.epoch);
}

BOOST_AUTO_TEST_CASE(people_see_who_does_a_step_and_what_was_said_of_it_last) {
  worker_world small;
  const auto who = small.join();
  const auto run = small.start(mixing(1h).build());
  const auto call = small.given(1).front();
  auto wait = small.only_wait(run);
  BOOST_TEST(wait.kind == "call");
  BOOST_TEST(
    wait.text == "step one: attempt 1, worker kind mixing, is out since 00:00:00Z, with worker 'worker-1' since "
                 "00:00:00Z; its deadline is 01:00:00Z");
  small.world.advance(10s);
  small.say(who, call_begun{call.number});
  small.say(who, call_heartbeat{call.number, "42 of 100 loaves"});
  wait = small.only_wait(run);
  BOOST_TEST(wait.progress == "42 of 100 loaves");
  BOOST_TEST(
    wait.text.find("with worker 'worker-1' since 00:00:00Z, which said at 00:00:10Z: 42 of 100 loaves") !=
      std::string::npos,
    wait.text);
}

BOOST_AUTO_TEST_CASE(an_outcome_tells_the_wait_for_a_worker_from_its_work) {
  worker_world small;
  const auto run = small.start(mixing(1h).build());
  const auto outcome = [&] { return nlohmann::json::parse(small.world.database->events(run).back().body); };
  small.world.advance(20s);
  const auto first = small.join(1);
  const auto lost = small.given(1).front();
  BOOST_TEST(
    small.only_wait(run).text ==
    "step one: attempt 1, worker kind mixing, is out since 00:00:00Z, with worker 'worker-1' since 00:00:20Z, after it "
    "waited 20s; its deadline is 01:00:20Z");
  // The work of a worker that is lost is no wait.
  small.world.advance(7s);
  small.desk->leave(first);
  small.world.settle();
  small.world.advance(3s);
  const auto second = small.join(2);
  const auto call = small.given(1).front();
  small.world.advance(5s);
  small.say(second, call_ended{call.number, call.epoch, call.key, false, "the oven is cold", true, 0});
  BOOST_TEST(outcome().at("worker") == "worker-2");
  BOOST_TEST(outcome().at("queued_us") == 23'000'000);
  // The next attempt begins anew, and waits for nobody.
  small.world.advance(1min);
  small.say(second, answer_to(small.given(1).front()));
  const auto events = small.world.database->events(run);
  const auto done = nlohmann::json::parse(events.at(events.size() - 2).body);
  BOOST_TEST(done.at("worker") == "worker-2");
  BOOST_TEST(!done.contains("queued_us"));
}

BOOST_AUTO_TEST_CASE(another_worker_goes_on_with_the_same_attempt_when_one_dies) {
  worker_world small;
  const auto first = small.join(1);
  const auto run = small.start(mixing().build());
  const auto before = small.given(1).front();
  const auto second = small.join(2);
  small.desk->leave(first);
  const auto after = small.given(1).front();
  BOOST_TEST(after.number == before.number);
  BOOST_TEST(after.key == before.key);
  BOOST_TEST(after.attempt == 1u);
  small.say(second, answer_to(after));
  BOOST_TEST((small.world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(the_next_owner_of_a_run_gives_the_same_attempt_to_who_holds_it) {
  worker_world small;
  small.join(1);
  const auto run = small.start(mixing().build());
  const auto before = small.given(1).front();
  small.world.crash();
  small.world.boot();
  auto hello = hello_of(1, {{"mixing", 1}});
  hello.held = {{before.key, before.attempt}};
  const auto who = std::get<seat>(small.desk->join(hello));
  const auto after = small.given(1).front();
  BOOST_TEST(after.key == before.key);
  BOOST_TEST(after.attempt == before.attempt);
  small.say(who, answer_to(after));
  BOOST_TEST((small.world.row(run).status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_step_is_given_up_when_its_run_goes) {
  worker_world small;
  small.join();
  small.start(mixing().build());
  small.given(1);
  const auto desk = small.desk;
  small.world.crash();
  const auto words = desk->take_out();
  BOOST_TEST_REQUIRE(words.size() == 1u);
  BOOST_TEST(std::holds_alternative<call_dropped>(words[0].word));
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_no_json_is_judged_like_any_other) {
  for (const auto& nonsense : {std::string("no json"), std::string("\"\xff\""), std::string("1\0", 2)}) {
    worker_world small;
    const auto who = small.join();
    const auto run = small.start(mixing().build());
    small.say(who, answer_to(small.given(1).front(), nonsense));
    BOOST_TEST((small.world.row(run).status == run_status::failed));
  }
}

BOOST_AUTO_TEST_CASE(a_step_at_a_node_without_a_gate_waits_and_fails_not) {
  actor_world world;
  const auto told = world.start(mixing().build());
  world.advance(24h);
  const auto run = told->run().run;
  const auto waits = world.explain_run(run).waits;
  BOOST_TEST_REQUIRE(waits.size() == 1u);
  BOOST_TEST(waits[0].kind == "worker");
  BOOST_TEST(
    waits[0].text ==
    "step one: attempt 1, worker kind mixing, waits for a gate for workers on node world: start it with --cluster");
  BOOST_TEST((world.row(run).status == run_status::running));
}

BOOST_AUTO_TEST_SUITE_END()
