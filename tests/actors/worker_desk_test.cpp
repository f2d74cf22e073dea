// Between the engine and its workers: what is told to whom, and that no worker can answer what it was not given.
#include <boost/test/unit_test.hpp>

#include <functional>

#include "actors/cluster/worker_desk.hpp"
#include "tests/support/scripted_workers.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

using seat = worker_desk::seat;

/// A desk, the results that it gave, and the words that it sent.
struct small_desk {
  explicit small_desk(worker_roster_options options = {})
    : desk(std::make_shared<worker_desk>(std::move(options), [this] { return now; })) {}

  seat join(uint8_t number, std::vector<wire_offer> offers = {{"bake", 10}}) {
    return std::get<seat>(desk->join(hello_of(number, std::move(offers))));
  }
  /// The call stays begun as long as the answer lives.
  [[nodiscard]] call_in_flight begin(call_request request) {
    const auto key = request.idempotency_key;
    return desk->begin(std::move(request), [this, key](call_result result) {
      BOOST_TEST(!results.contains(key), key << " has two results");
      results[key] = std::move(result);
    });
  }
  call_failure failure(const std::string& key) {
    BOOST_TEST_REQUIRE(results.contains(key));
    return std::get<call_failure>(results[key]);
  }
  /// What was sent since the last time: `1:give 1 1:drop 1`, each with a worker's seat before it.
  std::string sent() {
    std::string text;
    for (const auto& each : desk->take_out()) {
      text += (text.empty() ? "" : " ") + std::to_string(each.to) + ":";
      if (const auto* given = std::get_if<call_given>(&each.word))
        text += "give " + std::to_string(given->number);
      else
        text += "drop " + std::to_string(std::get<call_dropped>(each.word).number);
    }
    return text;
  }

  timestamp now = workers_begin;
  std::map<std::string, call_result> results;
  std::shared_ptr<worker_desk> desk;
};

} // namespace

BOOST_AUTO_TEST_SUITE(worker_desk_test)

BOOST_AUTO_TEST_CASE(a_worker_s_answer_is_the_call_s_result) {
  small_desk small;
  const auto who = small.join(1);
  const auto held = small.begin(worker_request("a"));
  BOOST_TEST(small.sent() == "1:give 1");
  BOOST_TEST(small.desk->take(who, call_begun{1}) == "");
  BOOST_TEST(small.desk->take(who, end_of(1, "a", R"({"loaves":3})")) == "");
  BOOST_TEST(std::get<std::string>(small.results["a"]) == R"({"loaves":3})");
  BOOST_TEST((small.desk->figures() == worker_figures{1, 0, 0}));
}

BOOST_AUTO_TEST_CASE(a_worker_s_failure_says_whether_and_when_a_retry_may_help) {
  small_desk small;
  const auto who = small.join(1);
  const auto one = small.begin(worker_request("a"));
  const auto two = small.begin(worker_request("b"));
  const auto three = small.begin(worker_request("c"));
  BOOST_TEST(small.desk->take(who, call_ended{1, 7, "a", false, "the oven\nis cold", true, 1500}) == "");
  BOOST_TEST(small.desk->take(who, call_ended{2, 7, "b", false, "no such bread", false, 0}) == "");
  BOOST_TEST(small.desk->take(who, call_ended{3, 7, "c", false, "", true, 0}) == "");
  const auto cold = small.failure("a");
  BOOST_TEST((cold.kind == call_failure::kind_type::retryable));
  BOOST_TEST(cold.message == "the oven is cold");
  BOOST_TEST((cold.retry_after == duration(1500ms)));
  BOOST_TEST((small.failure("b").kind == call_failure::kind_type::final));
  BOOST_TEST(small.failure("c").message == "the worker gave no reason");
  BOOST_TEST(!small.failure("c").retry_after.has_value());
}

BOOST_AUTO_TEST_CASE(a_call_that_is_given_up_is_dropped_and_its_late_answer_tells_nobody) {
  small_desk small;
  const auto who = small.join(1);
  {
    const auto held = small.begin(worker_request("a"));
    BOOST_TEST(small.sent() == "1:give 1");
  }
  BOOST_TEST(small.sent() == "1:drop 1");
  BOOST_TEST(small.desk->take(who, end_of(1, "a")) == "");
  BOOST_TEST(small.results.empty());
}

BOOST_AUTO_TEST_CASE(the_desk_wakes_who_sends_once_until_it_looks) {
  small_desk small;
  int woken = 0;
  const auto early = small.begin(worker_request("early"));
  small.desk->on_word_out([&] { ++woken; });
  BOOST_TEST(woken == 0);
  small.join(1);
  const auto one = small.begin(worker_request("a"));
  const auto two = small.begin(worker_request("b"));
  BOOST_TEST(woken == 1);
  BOOST_TEST(small.sent() == "1:give 1 1:give 2 1:give 3");
  const auto three = small.begin(worker_request("c"));
  BOOST_TEST(woken == 2);
}

BOOST_AUTO_TEST_CASE(calls_of_a_closed_desk_fail_and_may_be_retried) {
  small_desk small;
  small.join(1);
  const auto out = small.begin(worker_request("out"));
  const auto waits = small.begin(worker_request("waits", "mix"));
  int woken = 0;
  small.desk->on_word_out([&] { ++woken; });
  small.sent();
  small.desk->close();
  small.desk->close();
  const auto late = small.begin(worker_request("late"));
  for (const auto* key : {"out", "waits", "late"}) {
    BOOST_TEST(small.failure(key).message == "the node is shutting down");
    BOOST_TEST((small.failure(key).kind == call_failure::kind_type::retryable));
  }
  BOOST_TEST(small.sent() == "");
  BOOST_TEST(std::get<std::string>(small.desk->join(hello_of(2, {{"bake", 1}}))) == "the node is shutting down");
  BOOST_TEST(woken == 1);
}

BOOST_AUTO_TEST_CASE(a_call_outlives_its_desk_without_harm) {
  small_desk small;
  auto held = small.begin(worker_request("a"));
  small.desk.reset();
  BOOST_TEST(small.failure("a").message == "the node is shutting down");
  held.give_up();
}

BOOST_AUTO_TEST_CASE(more_than_may_wait_and_more_than_may_be_sent_fail_and_say_so) {
  small_desk small({.calls_waiting_max = 1});
  const auto one = small.begin(worker_request("a"));
  const auto two = small.begin(worker_request("b"));
  BOOST_TEST((small.failure("b").kind == call_failure::kind_type::retryable));
  BOOST_TEST(small.failure("b").message.find("worker_calls_waiting_max, which is 1") != std::string::npos);
  auto large = worker_request("c");
  large.body.assign(wire_body_bytes_max + 1, ' ');
  const auto three = small.begin(std::move(large));
  BOOST_TEST((small.failure("c").kind == call_failure::kind_type::final));
  BOOST_TEST(small.failure("c").message.find("at most 67108864 are allowed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(nobody_is_silent_who_has_not_begun) {
  small_desk small;
  const auto who = small.join(1);
  const auto held = small.begin(worker_request("a", "bake", 10s));
  // Whoever speaks with the workers got no turn.
  small.now += 1min;
  BOOST_TEST(!small.desk->next_due().has_value());
  small.desk->end_silent_calls();
  BOOST_TEST(small.results.empty());
  BOOST_TEST(small.sent() == "1:give 1");
  // The call is on its way for as long as its body takes.
  small.now += 1min;
  BOOST_TEST(!small.desk->next_due().has_value());
  BOOST_TEST(small.desk->take(who, call_begun{1}) == "");
  BOOST_TEST((small.desk->next_due() == small.now + 10s));
}

BOOST_AUTO_TEST_CASE(a_silent_worker_s_call_ends_and_it_is_told) {
  small_desk small;
  const auto who = small.join(1);
  const auto held = small.begin(worker_request("a", "bake", 10s));
  small.sent();
  BOOST_TEST(small.desk->take(who, call_begun{1}) == "");
  BOOST_TEST((small.desk->next_due() == small.now + 10s));
  small.now += 10s;
  small.desk->end_silent_calls();
  BOOST_TEST(small.failure("a").message == "no heartbeat within 10s from worker 'worker-1'");
  BOOST_TEST((small.failure("a").kind == call_failure::kind_type::retryable));
  BOOST_TEST(small.sent() == "1:drop 1");
  BOOST_TEST(small.desk->take(who, end_of(1, "a")) == "");
}

BOOST_AUTO_TEST_CASE(what_no_worker_of_ours_says_is_a_fault_and_harms_no_call) {
  using words = std::function<std::string(worker_desk&, seat)>;
  const auto says = [](auto x) -> words { return [x](worker_desk& desk, seat who) { return desk.take(who, x); }; };
  const auto ended = [&](auto change) {
    auto x = end_of(1, "a");
    change(x);
    return says(x);
  };
  const std::string long_text(300, 'x');
  const struct {
    const char* what;
    words say;
    std::string fault;
  } rows[] = {
    {"a number that nobody was given", says(end_of(17, "a")), "it speaks of call 17, and no call has that number"},
    {"number 0", says(end_of(0, "a")), "the call's number is 0, they count from 1"},
    {"somebody else's call", says(end_of(2, "b")), "it speaks of call 2, which is not out with 'worker-1'"},
    {"somebody else's call begun", says(call_begun{2}), "it speaks of call 2, which is not out with 'worker-1'"},
    {"somebody else's call declined", says(call_declined{2}), "it speaks of call 2, which is not out with 'worker-1'"},
    {"somebody else's heartbeat", says(call_heartbeat{2, ""}), "it speaks of call 2, which is not out with 'worker-1'"},
    {"a call that waits", says(end_of(3, "c")), "it speaks of call 3, which is not out with 'worker-1'"},
    {"another key", says(end_of(1, "b")),
     "it answers call 1 with key 'b' under epoch 7, and was given key 'a' under epoch 7"},
    {"another epoch", ended([](call_ended& x) { x.epoch = 8; }),
     "it answers call 1 with key 'a' under epoch 8, and was given key 'a' under epoch 7"},
    {"no key", ended([](call_ended& x) { x.key = ""; }), "the key is empty"},
    {"a key that is too long", ended([&](call_ended& x) { x.key = long_text; }),
     "the key has 300 bytes, at most 200 are allowed"},
    {"a key with a line break", ended([](call_ended& x) { x.key = "a\n"; }),
     "the key 'a?' must be of visible ASCII characters"},
    {"a result that is too long", ended([](call_ended& x) { x.result.assign(wire_result_bytes_max + 1, ' '); }),
     "the result of call 1 has 16777217 bytes, at most 16777216 are allowed"},
    {"a time before now", ended([](call_ended& x) { x.retry_after = -1; }),
     "call 1 is to be tried again after -1 ms, 0 to 604800000 are allowed"},
    {"a time that never comes", ended([](call_ended& x) { x.retry_after = INT64_MAX; }),
     "call 1 is to be tried again after 9223372036854775807 ms, 0 to 604800000 are allowed"},
    {"progress that is too long", says(call_heartbeat{1, std::string(1001, 'x')}),
     "the progress of call 1 has 1001 bytes, at most 1000 are allowed"},
    {"a beginning twice", says(call_begun{1}), "it begins call 1 twice"},
    {"no after yes", says(call_declined{1}), "it declines call 1, which it has begun"},
    {"room for a kind that it does not offer", says(room_made{"mix", 1}),
     "it has room for calls of kind 'mix', which it does not offer"},
    {"more room than it offered", says(room_made{"bake", 2}),
     "it has room for 2 calls of kind 'bake', and offered 1 at once"},
    {"room for everything", says(room_made{"bake", UINT32_MAX}),
     "it has room for 4294967295 calls of kind 'bake', at most 10000 are allowed"},
    {"a kind without a name", says(room_made{"", 1}),
     "the kind '' must be letters, digits, '_', '-' and '.', a letter first, at most 100 bytes"},
    {"more held calls than anybody has", says(calls_held{std::vector<held_call>(10'001, {"k", 1})}),
     "it holds 10001 calls, at most 10000 are allowed"},
    {"a held call without a key", says(calls_held{{{"", 1}}}), "the key of a call that it holds is empty"},
    {"a held attempt 0", says(calls_held{{{"k", 0}}}), "it holds attempt 0 of 'k', they count from 1"},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.what) {
      small_desk small;
      const auto who = small.join(1, {{"bake", 1}});
      const auto one = small.begin(worker_request("a"));
      const auto other = small.join(2, {{"bake", 1}});
      const auto two = small.begin(worker_request("b"));
      const auto three = small.begin(worker_request("c"));
      BOOST_TEST(small.sent() == "1:give 1 2:give 2");
      BOOST_TEST(small.desk->take(who, call_begun{1}) == "");
      BOOST_TEST(row.say(*small.desk, who) == row.fault);
      BOOST_TEST(small.results.empty());
      BOOST_TEST(small.sent() == "");
      // Whoever said it is cut off, and the others do all of it.
      small.desk->leave(who);
      BOOST_TEST(small.sent() == "");
      BOOST_TEST(small.desk->take(other, end_of(2, "b")) == "");
      BOOST_TEST(small.sent() == "2:give 1");
      BOOST_TEST(small.desk->take(other, end_of(1, "a")) == "");
      BOOST_TEST(small.sent() == "2:give 3");
      BOOST_TEST(small.desk->take(other, end_of(3, "c")) == "");
      BOOST_TEST(small.results.size() == 3u);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_answer_that_comes_twice_is_a_fault) {
  small_desk small;
  const auto who = small.join(1);
  const auto held = small.begin(worker_request("a"));
  BOOST_TEST(small.desk->take(who, end_of(1, "a", "1")) == "");
  BOOST_TEST(small.desk->take(who, end_of(1, "a", "2")) == "it speaks of call 1, which is not out with 'worker-1'");
  BOOST_TEST(std::get<std::string>(small.results["a"]) == "1");
}

BOOST_AUTO_TEST_CASE(an_answer_to_a_call_that_was_dropped_is_taken_once) {
  small_desk small;
  const auto who = small.join(1);
  small.begin(worker_request("a")).give_up();
  BOOST_TEST(small.desk->take(who, end_of(1, "a")) == "");
  BOOST_TEST(small.desk->take(who, end_of(1, "a")) == "it speaks of call 1, which is not out with 'worker-1'");
}

BOOST_AUTO_TEST_CASE(who_has_left_is_not_heard) {
  small_desk small;
  const auto who = small.join(1);
  const auto held = small.begin(worker_request("a"));
  small.desk->leave(who);
  BOOST_TEST(small.desk->take(who, end_of(1, "a")) == "");
  BOOST_TEST(small.results.empty());
  BOOST_TEST(small.desk->look("a", 1)->waiting);
}

BOOST_AUTO_TEST_CASE(a_hello_that_makes_no_sense_is_refused_with_what_is_wrong) {
  const struct {
    std::function<void(worker_hello&)> change;
    std::string fault;
  } rows[] = {
    {[](worker_hello& x) { x.worker = {}; }, "its id is all zeros"},
    {[](worker_hello& x) { x.name = ""; }, "the worker's name is empty"},
    {[](worker_hello& x) { x.name = std::string(201, 'x'); },
     "the worker's name has 201 bytes, at most 200 are allowed"},
    {[](worker_hello& x) { x.name = "a\nb"; }, "the worker's name 'a?b' has control characters"},
    {[](worker_hello& x) { x.name = "\xff"; }, "the worker's name '?' is not UTF-8"},
    {[](worker_hello& x) { x.host = std::string(256, 'x'); },
     "the worker's host has 256 bytes, at most 255 are allowed"},
    {[](worker_hello& x) { x.version = std::string(101, 'x'); },
     "the worker's version has 101 bytes, at most 100 are allowed"},
    {[](worker_hello& x) { x.protocol_min = 3; }, "it speaks the protocols 3 to 2, which is no range"},
    {[](worker_hello& x) { x.protocol_min = 0; }, "it speaks the protocols 0 to 2, which is no range"},
    {[](worker_hello& x) { x.offers.clear(); }, "it offers 0 kinds, 1 to 100 are allowed"},
    {[](worker_hello& x) { x.offers.resize(101); }, "it offers 101 kinds, 1 to 100 are allowed"},
    {[](worker_hello& x) { x.offers[0].kind = "bake bread"; },
     "the kind 'bake bread' must be letters, digits, '_', '-' and '.', a letter first, at most 100 bytes"},
    {[](worker_hello& x) { x.offers[0].kind = std::string(101, 'x'); },
     "the kind '" + std::string(100, 'x') +
       "' must be letters, digits, '_', '-' and '.', a letter first, at most 100 bytes"},
    {[](worker_hello& x) { x.offers[0].kind = "bake/bread"; },
     "the kind 'bake/bread' must be letters, digits, '_', '-' and '.', a letter first, at most 100 bytes"},
    {[](worker_hello& x) { x.offers[0].at_once = 0; },
     "it offers 0 calls of kind 'bake' at once, 1 to 10000 are allowed"},
    {[](worker_hello& x) { x.offers[0].at_once = 10'001; },
     "it offers 10001 calls of kind 'bake' at once, 1 to 10000 are allowed"},
    {[](worker_hello& x) { x.offers.push_back(x.offers[0]); }, "it offers the kind 'bake' twice"},
    {[](worker_hello& x) {
       x.held.resize(10'001, {"k", 1});
     },
     "it holds 10001 calls, at most 10000 are allowed"},
  };
  small_desk small;
  for (const auto& row : rows) {
    auto hello = hello_of(1, {{"bake", 1}});
    row.change(hello);
    const auto joined = small.desk->join(hello);
    BOOST_TEST_REQUIRE(std::holds_alternative<std::string>(joined), row.fault);
    BOOST_TEST(std::get<std::string>(joined) == row.fault);
  }
  BOOST_TEST(small.desk->figures().connected == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
