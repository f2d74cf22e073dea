// Which worker gets which call, and when.
#include <boost/test/unit_test.hpp>

#include "actors/cluster/worker_roster.hpp"
#include "tests/support/scripted_workers.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// A roster that is told what to do in short, and the time that goes with it.
struct small_roster {
  using seat = worker_roster::seat;

  explicit small_roster(worker_roster_options options = {})
    : roster(std::move(options)) {}

  seat join(const worker_hello& who) { return std::get<seat>(roster.join(who, now)); }
  uint64_t add(call_request request) { return std::get<uint64_t>(roster.add(std::move(request), now)); }
  /// Must be no fault.
  template <class Word>
  void say(seat who, const Word& x) {
    BOOST_TEST(roster.take(who, x, now).fault == "");
  }
  void begin_all(seat who) {
    for (const auto& each : gifts)
      if (each.to == who)
        say(who, call_begun{each.number});
  }
  /// Who was given what since the last time: `2<-1 1<-2`, a worker's seat and a call's number each.
  std::string given() {
    gifts = roster.take_gifts();
    std::string text;
    for (const auto& each : gifts)
      text += (text.empty() ? "" : " ") + std::to_string(each.to) + "<-" + std::to_string(each.number);
    return text;
  }

  worker_roster roster;
  std::vector<worker_roster::gift> gifts;
  timestamp now = workers_begin;
};

} // namespace

BOOST_AUTO_TEST_SUITE(worker_roster_test)

BOOST_AUTO_TEST_CASE(a_call_waits_until_somebody_offers_its_kind) {
  small_roster small;
  small.add(worker_request("a"));
  small.join(hello_of(1, {{"mix", 1}}));
  BOOST_TEST(small.given() == "");
  BOOST_TEST(small.roster.look("a", 1)->waiting);
  BOOST_TEST(!small.roster.look("a", 1)->offered);
  small.join(hello_of(2, {{"bake", 1}}));
  BOOST_TEST(small.given() == "2<-1");
  BOOST_TEST(small.roster.look("a", 1)->worker == "worker-2");
}

BOOST_AUTO_TEST_CASE(no_worker_gets_more_than_it_has_room_for) {
  small_roster small;
  small.join(hello_of(1, {{"bake", 2}}));
  for (const auto* key : {"a", "b", "c"})
    small.add(worker_request(key));
  BOOST_TEST(small.given() == "1<-1 1<-2");
  BOOST_TEST((small.roster.figures() == worker_figures{1, 2, 1}));
  const auto third = small.roster.look("c", 1);
  BOOST_TEST(third->waiting);
  BOOST_TEST(third->offered);
}

BOOST_AUTO_TEST_CASE(calls_of_a_kind_wait_in_the_order_in_which_they_began) {
  small_roster small;
  for (const auto* key : {"a", "b", "c"})
    small.add(worker_request(key));
  small.join(hello_of(1, {{"bake", 1}}));
  BOOST_TEST(small.given() == "1<-1");
  small.begin_all(1);
  small.say(1, end_of(1, "a"));
  BOOST_TEST(small.given() == "1<-2");
}

BOOST_AUTO_TEST_CASE(another_kind_does_not_stand_in_the_way) {
  small_roster small;
  small.add(worker_request("a", "mix"));
  small.add(worker_request("b", "bake"));
  small.join(hello_of(1, {{"bake", 1}}));
  BOOST_TEST(small.given() == "1<-2");
}

BOOST_AUTO_TEST_CASE(who_holds_the_attempt_comes_first_even_without_room) {
  small_roster small({.host = "here"});
  auto holder = hello_of(1, {{"bake", 1}});
  holder.held = {{"a", 1}};
  small.join(holder);
  small.say(1, room_made{"bake", 0});
  small.join(hello_of(2, {{"bake", 10}}, "here"));
  small.add(worker_request("a"));
  BOOST_TEST(small.given() == "1<-1");
  // Another attempt is another matter, and it holds this one no more once it was given.
  small.add(worker_request("a", "bake", 0s, 2));
  BOOST_TEST(small.given() == "2<-2");
  small.roster.drop(1);
  small.add(worker_request("a"));
  BOOST_TEST(small.given() == "2<-3");
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_goes_to_who_says_that_it_holds_it) {
  small_roster small;
  small.join(hello_of(1, {{"bake", 1}}));
  small.say(1, room_made{"bake", 0});
  small.add(worker_request("a"));
  small.add(worker_request("b"));
  BOOST_TEST(small.given() == "");
  small.say(1, calls_held{{{"b", 1}}});
  BOOST_TEST(small.given() == "1<-2");
}

BOOST_AUTO_TEST_CASE(of_what_a_worker_holds_the_newest_is_known) {
  small_roster small;
  small.join(hello_of(1, {{"bake", 1}}));
  small.join(hello_of(2, {{"bake", 9}}));
  for (size_t i = 0; i < held_calls_max + 2; ++i) {
    small.say(1, calls_held{{{"key-" + std::to_string(i), 1}}});
    // Said twice, it is one.
    small.say(1, calls_held{{{"key-" + std::to_string(i), 1}}});
  }
  small.add(worker_request("key-1"));
  BOOST_TEST(small.given() == "2<-1");
  small.add(worker_request("key-2"));
  small.add(worker_request("key-" + std::to_string(held_calls_max + 1)));
  BOOST_TEST(small.given() == "1<-2 1<-3");
}

BOOST_AUTO_TEST_CASE(who_may_still_be_at_an_earlier_attempt_comes_last) {
  small_roster small({.host = "here"});
  small.join(hello_of(1, {{"bake", 9}}, "here"));
  small.join(hello_of(2, {{"bake", 1}}));
  small.add(worker_request("a"));
  BOOST_TEST(small.given() == "1<-1");
  small.roster.drop(1);
  small.add(worker_request("a", "bake", 0s, 2));
  BOOST_TEST(small.given() == "2<-2");
  // Rather than nobody.
  small.roster.drop(2);
  small.say(2, room_made{"bake", 0});
  small.add(worker_request("a", "bake", 0s, 3));
  BOOST_TEST(small.given() == "1<-3");
  // It has returned from all of them.
  small.say(1, end_of(1, "a"));
  small.say(1, end_of(3, "a"));
  small.say(2, room_made{"bake", 1});
  small.add(worker_request("a", "bake", 0s, 4));
  BOOST_TEST(small.given() == "1<-4");
}

BOOST_AUTO_TEST_CASE(a_call_that_is_held_takes_no_more_room) {
  small_roster small;
  auto holder = hello_of(1, {{"bake", 2}});
  holder.held = {{"a", 1}};
  small.join(holder);
  small.say(1, room_made{"bake", 1});
  for (const auto* key : {"a", "b", "c"})
    small.add(worker_request(key));
  BOOST_TEST(small.given() == "1<-1 1<-2");
}

BOOST_AUTO_TEST_CASE(workers_on_this_machine_come_before_those_with_more_room) {
  small_roster small({.host = "here"});
  small.join(hello_of(1, {{"bake", 10}}));
  small.join(hello_of(2, {{"bake", 1}}, "here"));
  small.add(worker_request("a"));
  small.add(worker_request("b"));
  BOOST_TEST(small.given() == "2<-1 1<-2");
}

BOOST_AUTO_TEST_CASE(a_roster_without_a_machine_prefers_nobody) {
  small_roster small;
  small.join(hello_of(1, {{"bake", 1}}, ""));
  small.join(hello_of(2, {{"bake", 2}}));
  small.add(worker_request("a"));
  BOOST_TEST(small.given() == "2<-1");
}

BOOST_AUTO_TEST_CASE(who_has_the_most_room_comes_first_and_then_they_take_turns) {
  small_roster small;
  small.join(hello_of(1, {{"bake", 2}}));
  small.join(hello_of(2, {{"bake", 3}}));
  for (const auto* key : {"a", "b", "c", "d", "e"})
    small.add(worker_request(key));
  // 2:3, then level at two each: who got one longest ago.
  BOOST_TEST(small.given() == "2<-1 1<-2 2<-3 1<-4 2<-5");
}

BOOST_AUTO_TEST_CASE(what_a_worker_says_of_its_room_does_not_count_what_is_on_its_way_to_it) {
  small_roster small;
  small.join(hello_of(1, {{"bake", 4}}));
  small.add(worker_request("a"));
  small.add(worker_request("b"));
  BOOST_TEST(small.given() == "1<-1 1<-2");
  // It has received the first, has one more of another node, and does not know of the second.
  small.say(1, call_begun{1});
  small.say(1, room_made{"bake", 2});
  for (const auto* key : {"c", "d"})
    small.add(worker_request(key));
  BOOST_TEST(small.given() == "1<-3");
}

BOOST_AUTO_TEST_CASE(what_is_held_takes_no_room_from_what_a_worker_says_meanwhile) {
  small_roster small;
  auto holder = hello_of(1, {{"bake", 2}});
  holder.held = {{"long", 1}};
  small.join(holder);
  small.add(worker_request("long"));
  BOOST_TEST(small.given() == "1<-1");
  // It does the one that it holds; this was said before it heard that somebody waits for it.
  small.say(1, room_made{"bake", 1});
  small.begin_all(1);
  small.add(worker_request("short"));
  BOOST_TEST(small.given() == "1<-2");
}

BOOST_AUTO_TEST_CASE(who_holds_a_call_is_asked_for_it_also_when_another_holder_has_gone) {
  small_roster small;
  const auto roomy = small.join(hello_of(1, {{"bake", 5}}));
  const auto holder = small.join(hello_of(2, {{"bake", 1}}));
  small.say(holder, calls_held{{{"a", 1}}});
  const auto other = small.join(hello_of(3, {{"bake", 1}}));
  small.say(other, calls_held{{{"a", 1}}});
  small.say(other, worker_leaving{});
  small.add(worker_request("a"));
  BOOST_TEST(small.given() == "2<-1");
  // It is being done: who holds it does not count any more.
  small.begin_all(holder);
  small.say(holder, end_of(1, "a"));
  small.add(worker_request("a"));
  BOOST_TEST(small.given() == std::to_string(roomy) + "<-2");
}

BOOST_AUTO_TEST_CASE(a_call_that_comes_back_goes_to_who_has_said_that_it_holds_it) {
  for (const bool declined : {true, false}) {
    small_roster small;
    const auto roomy = small.join(hello_of(1, {{"bake", 5}}));
    const auto holder = small.join(hello_of(2, {{"bake", 1}}));
    small.join(hello_of(3, {{"bake", 4}}));
    small.add(worker_request("a"));
    BOOST_TEST(small.given() == "1<-1");
    small.say(holder, room_made{"bake", 0});
    small.say(holder, calls_held{{{"a", 1}}});
    if (declined)
      small.say(roomy, call_declined{1});
    else
      small.roster.leave(roomy, small.now);
    BOOST_TEST(small.given() == "2<-1", (declined ? "declined" : "its worker is gone"));
  }
}

BOOST_AUTO_TEST_CASE(a_call_that_is_declined_has_its_old_place_and_goes_to_somebody_else) {
  small_roster small;
  const auto first = small.join(hello_of(1, {{"bake", 5}}));
  for (const auto* key : {"a", "b"})
    small.add(worker_request(key));
  BOOST_TEST(small.given() == "1<-1 1<-2");
  small.say(first, call_begun{2});
  small.say(first, call_declined{1});
  small.add(worker_request("c"));
  // It declined, so it has no room until it says so.
  BOOST_TEST(small.given() == "");
  const auto second = small.join(hello_of(2, {{"bake", 1}}));
  BOOST_TEST(small.given() == "2<-1");
  small.say(second, call_begun{1});
  small.say(first, room_made{"bake", 1});
  BOOST_TEST(small.given() == "1<-3");
}

BOOST_AUTO_TEST_CASE(the_calls_of_a_worker_that_dies_are_others_at_once_before_all_that_wait) {
  small_roster small;
  const auto first = small.join(hello_of(1, {{"bake", 2}}));
  for (const auto* key : {"a", "b", "c"})
    small.add(worker_request(key));
  BOOST_TEST(small.given() == "1<-1 1<-2");
  small.begin_all(first);
  small.say(first, call_heartbeat{1, "half"});
  small.roster.leave(first, small.now);
  BOOST_TEST(small.roster.look("a", 1)->progress == "");
  BOOST_TEST(small.given() == "");
  small.join(hello_of(2, {{"bake", 2}}));
  BOOST_TEST(small.given() == "2<-1 2<-2");
  BOOST_TEST((small.roster.figures() == worker_figures{1, 2, 1}));
}

BOOST_AUTO_TEST_CASE(a_worker_that_leaves_gets_nothing_more_and_ends_what_it_has) {
  small_roster small;
  const auto first = small.join(hello_of(1, {{"bake", 2}}));
  small.add(worker_request("a"));
  BOOST_TEST(small.given() == "1<-1");
  small.say(first, call_begun{1});
  small.say(first, worker_leaving{});
  small.add(worker_request("b"));
  BOOST_TEST(small.given() == "");
  BOOST_TEST(!small.roster.look("b", 1)->offered);
  const auto ended = small.roster.take(first, end_of(1, "a"), small.now);
  BOOST_TEST((ended.ended == 1u));
  BOOST_TEST(small.given() == "");
  BOOST_TEST(small.roster.list().at(0).leaving);
}

BOOST_AUTO_TEST_CASE(a_worker_that_comes_again_gets_back_what_it_holds) {
  small_roster small;
  small.join(hello_of(1, {{"bake", 1}}));
  small.add(worker_request("a"));
  BOOST_TEST(small.given() == "1<-1");
  small.join(hello_of(2, {{"bake", 5}}));
  auto again = hello_of(1, {{"bake", 1}});
  again.held = {{"a", 1}};
  BOOST_TEST(small.join(again) == 3u);
  BOOST_TEST(small.given() == "3<-1");
  BOOST_TEST((small.roster.figures() == worker_figures{2, 1, 0}));
}

BOOST_AUTO_TEST_CASE(a_call_that_was_given_up_is_told_to_who_has_it_and_its_late_answer_is_no_fault) {
  small_roster small;
  const auto who = small.join(hello_of(1, {{"bake", 1}}));
  const auto number = small.add(worker_request("a"));
  small.given();
  BOOST_TEST((small.roster.drop(number) == who));
  BOOST_TEST(!small.roster.look("a", 1).has_value());
  small.say(who, call_begun{number});
  small.say(who, call_heartbeat{number, "still at it"});
  const auto late = small.roster.take(who, end_of(number, "a"), small.now);
  BOOST_TEST(late.fault == "");
  BOOST_TEST(!late.ended.has_value());
  // Its room is there again.
  small.add(worker_request("b"));
  BOOST_TEST(small.given() == "1<-2");
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_and_is_given_up_is_told_to_nobody) {
  small_roster small;
  const auto number = small.add(worker_request("a"));
  BOOST_TEST(!small.roster.drop(number).has_value());
  BOOST_TEST(!small.roster.drop(number).has_value());
  small.join(hello_of(1, {{"bake", 1}}));
  BOOST_TEST(small.given() == "");
}

BOOST_AUTO_TEST_CASE(a_call_that_asks_for_heartbeats_ends_when_none_came_for_so_long) {
  small_roster small;
  const auto who = small.join(hello_of(1, {{"bake", 3}}));
  small.add(worker_request("silent", "bake", 10s));
  small.add(worker_request("unasked"));
  small.add(worker_request("waits", "mix", 10s));
  small.given();
  small.now += 4s;
  small.say(who, call_begun{1});
  small.say(who, call_begun{2});
  BOOST_TEST((small.roster.next_due() == small.now + 10s));
  small.now += 9s;
  small.say(who, call_heartbeat{1, ""});
  BOOST_TEST((small.roster.next_due() == small.now + 10s));
  small.now += 10s - 1us;
  BOOST_TEST(small.roster.take_silent(small.now).empty());
  small.now += 1us;
  const auto silent = small.roster.take_silent(small.now);
  BOOST_TEST_REQUIRE(silent.size() == 1u);
  BOOST_TEST(silent[0].number == 1u);
  BOOST_TEST(silent[0].with == who);
  BOOST_TEST(silent[0].worker == "worker-1");
  BOOST_TEST(!small.roster.next_due().has_value());
  BOOST_TEST(!small.roster.look("silent", 1).has_value());
}

BOOST_AUTO_TEST_CASE(the_words_of_a_heartbeat_are_kept_until_there_are_newer_ones) {
  small_roster small;
  const auto who = small.join(hello_of(1, {{"bake", 1}}));
  small.add(worker_request("a"));
  small.given();
  small.now += 1s;
  small.say(who, call_begun{1});
  small.say(who, call_heartbeat{1, "42 of\n100 loaves"});
  const auto said = small.now;
  small.now += 1s;
  small.say(who, call_heartbeat{1, ""});
  const auto view = small.roster.look("a", 1);
  BOOST_TEST(view->progress == "42 of 100 loaves");
  BOOST_TEST((view->progress_at == said));
  BOOST_TEST((view->given_at == workers_begin));
}

BOOST_AUTO_TEST_CASE(a_worker_is_told_what_the_call_is_and_how_long_it_has) {
  small_roster small;
  auto request = worker_request("a", "bake", 10s, 3);
  request.undo = true;
  request.run_number = "ORCH-1";
  const auto number = small.add(request);
  // Its time begins with the delivery.
  small.now += 5s;
  small.join(hello_of(1, {{"bake", 1}}));
  small.given();
  small.now += 29s;
  const auto message = small.roster.message_of(number, small.now);
  BOOST_TEST(message.number == number);
  BOOST_TEST(message.epoch == 7);
  BOOST_TEST(message.key == "a");
  BOOST_TEST(message.attempt == 3u);
  BOOST_TEST(message.undo);
  BOOST_TEST(message.kind == "bake");
  BOOST_TEST(message.time_left == 1000);
  BOOST_TEST(message.heartbeat == 10'000);
  BOOST_TEST(message.body == request.body);
  BOOST_TEST(small.roster.message_of(number, small.now + 2s).time_left == 1);
}

BOOST_AUTO_TEST_CASE(beyond_their_limits_workers_and_calls_are_refused_by_name) {
  small_roster small({.workers_max = 1, .calls_waiting_max = 1});
  small.join(hello_of(1, {{"mix", 1}}));
  const auto worker = small.roster.join(hello_of(2, {{"mix", 1}}), small.now);
  BOOST_TEST(std::get<std::string>(worker) == "this node has workers_max, which is 1, workers already");
  // One that comes again takes nobody's place.
  small.join(hello_of(1, {{"mix", 1}}));
  small.add(worker_request("a"));
  const auto call = small.roster.add(worker_request("b"), small.now);
  BOOST_TEST(
    std::get<std::string>(call) ==
    "was not made: worker_calls_waiting_max, which is 1, calls wait for a worker already");
}

BOOST_AUTO_TEST_CASE(people_see_who_is_there_and_what_they_have_room_for) {
  small_roster small;
  small.join(hello_of(1, {{"mix", 1}, {"bake", 4}}, "here"));
  small.add(worker_request("a"));
  const auto found = small.roster.list();
  BOOST_TEST_REQUIRE(found.size() == 1u);
  BOOST_TEST(found[0].name == "worker-1");
  BOOST_TEST(found[0].host == "here");
  BOOST_TEST(found[0].calls_out == 1u);
  BOOST_TEST((found[0].connected_since == workers_begin));
  BOOST_TEST((found[0].kinds == std::vector<worker_kind_view>{{"bake", 4, 3}, {"mix", 1, 1}}));
}

BOOST_AUTO_TEST_SUITE_END()
