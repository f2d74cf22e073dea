#include "actors/worker/workbench.hpp"

#include <boost/test/unit_test.hpp>

#include "actors/cluster/worker_checks.hpp"
#include "actors/worker/worker_limits.hpp"

using namespace levain;
using namespace std::chrono_literals;

namespace {

const worker_moment start = worker_moment(std::chrono::hours(1));
constexpr gate_number first = 1;
constexpr gate_number second = 2;

/// What a workbench wants done, in words: `begun 7 to 1`, `work 1`.
std::string told(const workbench_effect& effect) {
  struct words {
    std::string operator()(const call_begun& x) const { return "begun " + std::to_string(x.number); }
    std::string operator()(const call_declined& x) const { return "declined " + std::to_string(x.number); }
    std::string operator()(const room_made& x) const { return "room " + x.kind + " " + std::to_string(x.free); }
    std::string operator()(const call_heartbeat& x) const {
      return "beat " + std::to_string(x.number) + " " + x.progress;
    }
    std::string operator()(const call_ended& x) const {
      return (x.succeeded ? "done " : "failed ") + std::to_string(x.number) + " " + x.result;
    }
    std::string operator()(const calls_held& x) const {
      std::string text = "held";
      for (const auto& each : x.held)
        text += " " + each.key + "#" + std::to_string(each.attempt);
      return text;
    }
    std::string operator()(const worker_leaving&) const { return "leaving"; }
    std::string operator()(const say_to_gate& x) const {
      return std::visit(*this, x.word) + " to " + std::to_string(x.gate);
    }
    std::string operator()(const begin_work& x) const { return "work " + std::to_string(x.work); }
    std::string operator()(const extend_work& x) const { return "extend " + std::to_string(x.work); }
    std::string operator()(const cancel_work& x) const { return "cancel " + std::to_string(x.work); }
  };
  return std::visit(words{}, effect);
}

struct call_shape {
  std::string kind = "bake";
  uint32_t attempt = 1;
  int64_t epoch = 1;
  std::chrono::milliseconds time_left = 10s;
};

arrived_call call(uint64_t number, const std::string& key, call_shape shape = {}) {
  arrived_call arrived;
  arrived.given.number = number;
  arrived.given.epoch = shape.epoch;
  arrived.given.kind = shape.kind;
  arrived.given.key = key;
  arrived.given.attempt = shape.attempt;
  arrived.given.time_left = shape.time_left.count();
  return arrived;
}

work_result good(const std::string& text) {
  return {.succeeded = true, .text = text};
}

work_result bad(const std::string& text) {
  return {.text = text, .retry = true};
}

/// A workbench with two slots for `bake`, connected with two gates.
struct bench_world {
  bench_world() {
    bench.offer("bake", 2);
    bench.gate_opened(first, 0, now);
    bench.gate_opened(second, 0, now);
    bench.take_effects();
  }

  std::vector<std::string> heard() {
    std::vector<std::string> all;
    for (const auto& each : bench.take_effects()) {
      all.push_back(told(each));
      // Whatever it says, no node cuts it off for it.
      if (const auto* said = std::get_if<say_to_gate>(&each))
        BOOST_TEST(!std::visit([](const auto& word) { return fault_in(word); }, said->word).has_value(), all.back());
    }
    return all;
  }
  std::vector<std::string> heard_of_room() {
    bench.tell_room();
    return heard();
  }
  /// Gives a call, forgets what is said about it.
  void give(gate_number gate, uint64_t number, const std::string& key, call_shape shape = {}) {
    BOOST_TEST(!bench.give(gate, call(number, key, shape), now).has_value());
    heard();
  }

  worker_moment now = start;
  workbench bench{10min};
};

using words = std::vector<std::string>;

void check(const words& heard, const words& expected) {
  BOOST_TEST(heard == expected, boost::test_tools::per_element());
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(workbench_test, bench_world)

BOOST_AUTO_TEST_CASE(a_call_begins_and_its_result_goes_back_to_its_node) {
  BOOST_TEST(!bench.give(first, call(7, "a"), now).has_value());
  check(heard(), {"begun 7 to 1", "work 1"});
  bench.finish(1, good("{}"), now);
  check(heard(), {"done 7 {} to 1"});
  BOOST_TEST(bench.being_done() == 0U);
}

BOOST_AUTO_TEST_CASE(a_result_carries_the_epoch_the_key_and_when_to_try_again) {
  give(first, 7, "a", {.epoch = 42});
  bench.finish(1, {.text = "full", .retry = true, .retry_after = 500}, now);
  const auto effects = bench.take_effects();
  BOOST_TEST_REQUIRE(effects.size() == 1U);
  const auto& ended = std::get<call_ended>(std::get<say_to_gate>(effects[0]).word);
  BOOST_TEST(ended.epoch == 42);
  BOOST_TEST(ended.key == "a");
  BOOST_TEST(!ended.succeeded);
  BOOST_TEST(ended.retry);
  BOOST_TEST(ended.retry_after == 500);
}

BOOST_AUTO_TEST_CASE(a_kind_that_is_not_offered_is_declined) {
  BOOST_TEST(!bench.give(first, call(7, "a", {.kind = "fly"}), now).has_value());
  check(heard(), {"declined 7 to 1"});
}

BOOST_AUTO_TEST_CASE(a_call_beyond_the_slots_is_declined_and_room_is_told_when_there_is_some) {
  give(first, 1, "a");
  give(first, 2, "b");
  check(heard_of_room(), {"room bake 0 to 1", "room bake 0 to 2"});
  BOOST_TEST(!bench.give(second, call(1, "c"), now).has_value());
  check(heard(), {"declined 1 to 2"});
  bench.finish(1, good("1"), now);
  heard();
  check(heard_of_room(), {"room bake 1 to 1", "room bake 1 to 2"});
  check(heard_of_room(), {});
}

BOOST_AUTO_TEST_CASE(room_is_told_once_for_all_that_happened_together) {
  give(first, 1, "a");
  give(first, 2, "b");
  bench.finish(1, good("1"), now);
  bench.finish(2, good("1"), now);
  heard();
  check(heard_of_room(), {"room bake 2 to 1", "room bake 2 to 2"});
}

BOOST_AUTO_TEST_CASE(a_call_that_leaves_room_is_no_news) {
  give(first, 1, "a");
  BOOST_TEST(!bench.room_moved());
}

BOOST_AUTO_TEST_CASE(a_new_gate_is_told_of_room_and_of_what_is_held) {
  give(first, 1, "a", {.attempt = 3});
  bench.gate_lost(first, now);
  heard();
  bench.gate_opened(3, 0, now);
  check(heard(), {"room bake 1 to 3", "held a#3 to 3"});
}

BOOST_AUTO_TEST_CASE(what_the_introduction_told_is_not_told_again) {
  give(first, 1, "a");
  bench.gate_lost(first, now);
  heard();
  bench.gate_opened(3, 1, now);
  check(heard(), {"room bake 1 to 3"});
}

BOOST_AUTO_TEST_CASE(a_number_that_is_out_is_nonsense) {
  give(first, 1, "a");
  BOOST_TEST(bench.give(first, call(1, "b"), now).value_or("").find("the call 1 is given") == 0U);
  BOOST_TEST(!bench.give(second, call(1, "b"), now).has_value());
}

BOOST_AUTO_TEST_CASE(a_key_for_two_kinds_is_nonsense) {
  bench.offer("fly", 1);
  give(first, 1, "a");
  BOOST_TEST(bench.give(first, call(2, "a", {.kind = "fly"}), now).value_or("").find("the key 'a'") == 0U);
}

// ---- one key ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_second_call_with_a_key_joins_and_gets_the_answer) {
  give(first, 1, "a");
  BOOST_TEST(!bench.give(second, call(9, "a", {.epoch = 2}), now).has_value());
  check(heard(), {"begun 9 to 2", "extend 1"});
  BOOST_TEST(bench.being_done() == 1U);
  bench.finish(1, good("{}"), now);
  check(heard(), {"done 9 {} to 2"});
}

BOOST_AUTO_TEST_CASE(a_call_that_joins_takes_no_slot) {
  give(first, 1, "a");
  give(second, 9, "a");
  give(first, 2, "b");
  BOOST_TEST(bench.being_done() == 2U);
  bench.finish(1, good("1"), now);
  bench.finish(2, good("1"), now);
  heard();
  check(heard_of_room(), {"room bake 2 to 1", "room bake 2 to 2"});
}

BOOST_AUTO_TEST_CASE(an_older_owner_does_not_take_the_answer_from_a_younger_one) {
  give(first, 1, "a", {.epoch = 5});
  BOOST_TEST(!bench.give(second, call(9, "a", {.epoch = 4}), now).has_value());
  check(heard(), {"begun 9 to 2"});
  BOOST_TEST(!bench.room_moved());
  bench.finish(1, good("1"), now);
  check(heard(), {"done 1 1 to 1"});
}

BOOST_AUTO_TEST_CASE(the_caller_before_cannot_drop_what_another_waits_for) {
  give(first, 1, "a");
  give(second, 9, "a");
  bench.drop(first, 1, false);
  check(heard(), {});
  bench.finish(1, good("1"), now);
  check(heard(), {"done 9 1 to 2"});
}

BOOST_AUTO_TEST_CASE(joining_makes_the_deadline_later_and_never_earlier) {
  give(first, 1, "a", {.time_left = 10s});
  BOOST_TEST(!bench.give(second, call(2, "a", {.time_left = 1s}), now).has_value());
  auto effects = bench.take_effects();
  BOOST_TEST((std::get<extend_work>(effects.at(1)).deadline == start + 10s));
  BOOST_TEST(!bench.give(first, call(3, "a", {.time_left = 1min}), now).has_value());
  effects = bench.take_effects();
  BOOST_TEST((std::get<extend_work>(effects.at(1)).deadline == start + 1min));
}

BOOST_AUTO_TEST_CASE(the_success_of_an_earlier_attempt_answers_a_later_one) {
  give(first, 1, "a");
  give(second, 2, "a", {.attempt = 2});
  bench.finish(1, good("1"), now);
  check(heard(), {"done 2 1 to 2"});
}

BOOST_AUTO_TEST_CASE(the_failure_of_an_earlier_attempt_does_not_answer_a_later_one) {
  give(first, 1, "a");
  give(second, 2, "a", {.attempt = 2});
  bench.finish(1, bad("no"), now);
  check(heard(), {"work 2"});
  bench.finish(2, bad("again no"), now);
  check(heard(), {"failed 2 again no to 2"});
}

BOOST_AUTO_TEST_CASE(a_dropped_call_is_cancelled_and_its_result_counts_for_nothing) {
  give(first, 1, "a");
  bench.drop(first, 1, false);
  check(heard(), {"cancel 1"});
  bench.finish(1, good("1"), now);
  check(heard(), {});
  BOOST_TEST(bench.held(now).empty());
  BOOST_TEST(!bench.give(first, call(2, "a"), now).has_value());
  check(heard(), {"begun 2 to 1", "work 2"});
}

BOOST_AUTO_TEST_CASE(what_was_dropped_and_is_given_anew_is_done_afresh_when_the_old_has_returned) {
  give(first, 1, "a");
  bench.drop(first, 1, false);
  heard();
  BOOST_TEST(!bench.give(first, call(2, "a"), now).has_value());
  check(heard(), {"begun 2 to 1"});
  bench.finish(1, good("old"), now);
  check(heard(), {"work 2"});
  BOOST_TEST(bench.being_done() == 1U);
  bench.finish(2, good("new"), now);
  check(heard(), {"done 2 new to 1"});
  check(heard_of_room(), {"room bake 2 to 1", "room bake 2 to 2"});
}

BOOST_AUTO_TEST_CASE(what_is_dropped_while_it_waits_for_the_old_one_is_not_done) {
  give(first, 1, "a");
  bench.drop(first, 1, false);
  give(first, 2, "a");
  bench.drop(first, 2, false);
  heard();
  bench.finish(1, good("old"), now);
  check(heard(), {});
  BOOST_TEST(bench.being_done() == 0U);
}

BOOST_AUTO_TEST_CASE(work_past_its_deadline_is_not_joined_but_done_afresh) {
  give(first, 1, "a", {.time_left = 1s});
  now += 2s;
  BOOST_TEST(!bench.give(first, call(2, "a", {.attempt = 2}), now).has_value());
  check(heard(), {"begun 2 to 1", "cancel 1"});
  bench.finish(1, good("late"), now);
  check(heard(), {"work 2"});
}

BOOST_AUTO_TEST_CASE(what_waited_too_long_for_the_old_one_fails_and_may_be_tried_again) {
  give(first, 1, "a");
  bench.drop(first, 1, false);
  give(first, 2, "a", {.time_left = 1s});
  bench.finish(1, good("old"), now + 2s);
  check(heard(), {"failed 2 an earlier try at this step held the worker until the time was over to 1"});
  BOOST_TEST(bench.being_done() == 0U);
  check(heard_of_room(), {"room bake 2 to 1", "room bake 2 to 2"});
}

BOOST_AUTO_TEST_CASE(dropping_what_has_ended_changes_nothing) {
  give(first, 1, "a");
  bench.finish(1, good("1"), now);
  heard();
  bench.drop(first, 1, false);
  bench.drop(second, 77, false);
  check(heard(), {});
}

// ---- nodes that die -------------------------------------------------------------

BOOST_AUTO_TEST_CASE(work_goes_on_when_its_node_is_gone_and_the_others_are_told) {
  give(first, 1, "a", {.attempt = 2});
  give(second, 1, "b");
  bench.gate_lost(first, now);
  check(heard(), {"held a#2 to 2"});
  BOOST_TEST(bench.being_done() == 2U);
  BOOST_TEST(!bench.give(second, call(2, "a", {.attempt = 2, .epoch = 2}), now).has_value());
  check(heard(), {"begun 2 to 2", "extend 1"});
  bench.finish(1, good("1"), now);
  check(heard(), {"done 2 1 to 2"});
}

BOOST_AUTO_TEST_CASE(work_goes_on_when_its_run_moves_and_all_are_told) {
  give(first, 1, "a", {.attempt = 2});
  bench.drop(first, 1, true);
  check(heard(), {"held a#2 to 1", "held a#2 to 2"});
  BOOST_TEST(bench.being_done() == 1U);
  BOOST_TEST(!bench.give(second, call(2, "a", {.attempt = 2, .epoch = 2}), now).has_value());
  check(heard(), {"begun 2 to 2", "extend 1"});
  bench.finish(1, good("1"), now);
  check(heard(), {"done 2 1 to 2"});
}

BOOST_AUTO_TEST_CASE(what_ends_while_its_run_moves_is_kept_for_the_next_owner) {
  give(first, 1, "a");
  bench.drop(first, 1, true);
  bench.finish(1, good("1"), now);
  heard();
  BOOST_TEST(bench.results_kept() == 1U);
  BOOST_TEST(!bench.give(second, call(2, "a", {.epoch = 2}), now).has_value());
  check(heard(), {"begun 2 to 2", "done 2 1 to 2"});
}

BOOST_AUTO_TEST_CASE(what_was_dropped_is_not_held_when_its_run_moves) {
  give(first, 1, "a");
  bench.drop(first, 1, false);
  heard();
  BOOST_TEST(!bench.give(first, call(2, "a"), now).has_value());
  heard();
  bench.drop(first, 2, true);
  check(heard(), {});
}

BOOST_AUTO_TEST_CASE(a_result_that_nobody_took_answers_the_next_call_at_once) {
  give(first, 1, "a");
  bench.gate_lost(first, now);
  bench.finish(1, good("1"), now);
  heard();
  BOOST_TEST(bench.results_kept() == 1U);
  BOOST_TEST(!bench.give(second, call(2, "a", {.epoch = 2}), now).has_value());
  check(heard(), {"begun 2 to 2", "done 2 1 to 2"});
  BOOST_TEST(bench.results_kept() == 0U);
}

BOOST_AUTO_TEST_CASE(a_kept_result_is_none_for_another_attempt) {
  give(first, 1, "a");
  bench.gate_lost(first, now);
  bench.finish(1, bad("no"), now);
  heard();
  BOOST_TEST(!bench.give(second, call(2, "a", {.attempt = 2}), now).has_value());
  check(heard(), {"begun 2 to 2", "work 2"});
  BOOST_TEST(bench.results_kept() == 0U);
}

BOOST_AUTO_TEST_CASE(a_result_is_kept_for_so_long_and_no_longer) {
  give(first, 1, "a");
  bench.gate_lost(first, now);
  bench.finish(1, good("1"), now);
  BOOST_TEST(bench.held(now + 10min - 1ms).size() == 1U);
  BOOST_TEST(bench.held(now + 10min).empty());
}

BOOST_AUTO_TEST_CASE(a_result_that_was_sent_to_a_dying_node_is_held) {
  give(first, 1, "a");
  bench.finish(1, good("1"), now);
  heard();
  BOOST_TEST(bench.held(now).empty());
  now += 5s;
  bench.gate_lost(first, now);
  check(heard(), {"held a#1 to 2"});
  BOOST_TEST(!bench.give(second, call(2, "a", {.epoch = 2}), now).has_value());
  check(heard(), {"begun 2 to 2", "done 2 1 to 2"});
}

BOOST_AUTO_TEST_CASE(a_result_that_was_sent_long_ago_is_not_held) {
  give(first, 1, "a");
  bench.finish(1, good("1"), now);
  heard();
  bench.gate_lost(first, now + sent_result_doubt);
  check(heard(), {});
}

BOOST_AUTO_TEST_CASE(another_node_may_ask_again_for_what_was_sent_to_the_one_before) {
  give(first, 1, "a");
  bench.finish(1, good("1"), now);
  heard();
  BOOST_TEST(!bench.give(second, call(2, "a", {.epoch = 2}), now).has_value());
  check(heard(), {"begun 2 to 2", "done 2 1 to 2"});
}

BOOST_AUTO_TEST_CASE(dropped_work_is_not_held_when_its_node_dies) {
  give(first, 1, "a");
  bench.drop(first, 1, false);
  give(first, 2, "a");
  bench.gate_lost(first, now);
  check(heard(), {});
  BOOST_TEST(bench.held(now).empty());
  bench.finish(1, good("1"), now);
  check(heard(), {});
}

BOOST_AUTO_TEST_CASE(many_held_calls_are_told_in_pieces) {
  bench.offer("mix", 2 * held_calls_told_max);
  const size_t count = held_calls_told_max + 1;
  for (size_t i = 1; i <= count; ++i)
    give(first, i, "key" + std::to_string(i), {.kind = "mix"});
  bench.gate_lost(first, now);
  const auto effects = bench.take_effects();
  BOOST_TEST_REQUIRE(effects.size() == 2U);
  BOOST_TEST(std::get<calls_held>(std::get<say_to_gate>(effects[0]).word).held.size() == held_calls_told_max);
  BOOST_TEST(std::get<calls_held>(std::get<say_to_gate>(effects[1]).word).held.size() == 1U);
}

// ---- heartbeats -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(heartbeats_go_out_at_most_every_interval_and_the_newest_words_win) {
  give(first, 1, "a");
  bench.beat(1, "one", now);
  check(heard(), {"beat 1 one to 1"});
  now += 10ms;
  bench.beat(1, "two", now);
  now += 10ms;
  bench.beat(1, "three", now);
  check(heard(), {});
  BOOST_TEST((bench.next_due() == start + call_heartbeat_interval));
  bench.pass(start + call_heartbeat_interval - 1ms);
  check(heard(), {});
  bench.pass(start + call_heartbeat_interval);
  check(heard(), {"beat 1 three to 1"});
  BOOST_TEST(!bench.next_due().has_value());
}

BOOST_AUTO_TEST_CASE(heartbeats_of_what_ended_or_nobody_waits_for_are_not_sent) {
  give(first, 1, "a");
  give(first, 2, "b");
  bench.beat(1, "one", now);
  bench.beat(1, "two", now);
  bench.finish(1, good("1"), now);
  bench.drop(first, 2, false);
  heard();
  bench.beat(2, "still here", now);
  bench.beat(1, "late", now);
  bench.pass(now + 1h);
  check(heard(), {});
}

BOOST_AUTO_TEST_CASE(the_heartbeats_of_what_was_dropped_are_none_of_what_waits_for_it_to_return) {
  give(first, 1, "a");
  bench.drop(first, 1, false);
  give(first, 2, "a");
  bench.beat(1, "old", now);
  check(heard(), {});
  bench.finish(1, good("old"), now);
  heard();
  bench.beat(2, "new", now);
  check(heard(), {"beat 2 new to 1"});
}

BOOST_AUTO_TEST_CASE(heartbeats_go_to_whoever_waits_now) {
  give(first, 1, "a");
  bench.gate_lost(first, now);
  heard();
  bench.beat(1, "to nobody", now);
  check(heard(), {});
  give(second, 5, "a");
  bench.beat(1, "to you", now + 1s);
  check(heard(), {"beat 5 to you to 2"});
}

// ---- leaving --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(who_leaves_says_so_takes_nothing_new_and_ends_what_there_is) {
  give(first, 1, "a");
  bench.leave();
  bench.leave();
  check(heard(), {"leaving to 1", "leaving to 2"});
  BOOST_TEST(!bench.give(second, call(1, "b"), now).has_value());
  check(heard(), {"declined 1 to 2"});
  bench.finish(1, good("1"), now);
  check(heard(), {"done 1 1 to 1"});
  check(heard_of_room(), {"room bake 0 to 1", "room bake 0 to 2"});
  bench.gate_opened(3, 0, now);
  check(heard(), {"leaving to 3"});
}

BOOST_AUTO_TEST_CASE(cancelling_all_lets_results_count_that_come_in_time) {
  give(first, 1, "a");
  give(first, 2, "b");
  bench.cancel_all();
  check(heard(), {"cancel 1", "cancel 2"});
  bench.finish(1, good("1"), now);
  check(heard(), {"done 1 1 to 1"});
}

BOOST_AUTO_TEST_CASE(what_fails_because_all_was_cancelled_is_left_to_other_workers) {
  give(first, 1, "a");
  give(first, 2, "a", {.attempt = 2});
  bench.leave();
  bench.cancel_all();
  heard();
  bench.finish(1, bad("it was told to end"), now);
  check(heard(), {});
  BOOST_TEST(bench.being_done() == 0U);
  BOOST_TEST(bench.results_kept() == 0U);
}

BOOST_AUTO_TEST_CASE(a_slot_is_kept_for_a_call_whose_body_is_on_its_way) {
  BOOST_TEST(bench.reserve(first, call(1, "a").given, now));
  BOOST_TEST(bench.reserve(first, call(2, "b").given, now));
  check(heard_of_room(), {"room bake 0 to 1", "room bake 0 to 2"});
  BOOST_TEST(!bench.reserve(second, call(1, "c").given, now));
  BOOST_TEST(heard().front() == "declined 1 to 2");
  heard_of_room();
  give(first, 1, "a");
  BOOST_TEST(bench.being_done() == 1U);
  bench.withdraw(first, call(2, "b").given);
  check(heard(), {"declined 2 to 1"});
  check(heard_of_room(), {"room bake 1 to 1", "room bake 1 to 2"});
}

BOOST_AUTO_TEST_CASE(the_slots_of_calls_on_their_way_are_free_when_their_gate_is_lost) {
  bench.reserve(first, call(1, "a").given, now);
  bench.reserve(second, call(1, "b").given, now);
  heard_of_room();
  bench.gate_lost(first, now);
  check(heard_of_room(), {"room bake 1 to 2"});
}

BOOST_AUTO_TEST_CASE(a_heartbeat_without_words_leaves_those_that_wait) {
  give(first, 1, "a");
  bench.beat(1, "one", now);
  heard();
  bench.beat(1, "two", now);
  bench.beat(1, "", now);
  bench.pass(now + call_heartbeat_interval);
  check(heard(), {"beat 1 two to 1"});
}

BOOST_AUTO_TEST_SUITE_END()
