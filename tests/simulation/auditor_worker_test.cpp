// Rules on what nodes give workers and what workers do, each broken once.
#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

namespace {

/// A node, and workers that offer `k0`, two at once, connected with it by connections of their numbers.
class worker_history {
public:
  worker_history() {
    told.judge.saw(process_changed{told.now, node, process_change::booted});
    told.accept();
    told.write({started});
    for (const uint64_t each : {1, 2}) {
      told.judge.saw(worker_changed{told.now, worker(each), worker_change::booted, {{"k0", 2}}});
      connect(each);
    }
  }

  static place worker(uint64_t number) { return place_of_worker(static_cast<int>(number), 0); }
  void connect(uint64_t on, const std::vector<held_known>& held = {}) {
    link(on, true, true, held);
    link(on, false, true);
  }
  void link(uint64_t on, bool at_node, bool up, const std::vector<held_known>& held = {}) {
    told.judge.saw(link_changed{told.now, on, node, worker(on), at_node, up, {{"k0", 2}}, held});
  }

  // ---- the node -------------------------------------------------------------

  uint64_t call() {
    return told.call("a", 1, [](call_made& x) { x.kind = "k0"; });
  }
  void answered(uint64_t call, const std::string& output = "{}") {
    told.judge.saw(call_told{told.now, call, output, {}, true, {}});
  }
  void failed(uint64_t call, const std::string& message) {
    told.judge.saw(call_told{told.now, call, std::nullopt, "retryable", true, message});
  }
  word_passed given(uint64_t on, uint64_t number = 1, int64_t epoch = 1, uint32_t attempt = 1) const {
    auto x = word(on, word_kind::given, number);
    x.key = key;
    x.attempt = attempt;
    x.epoch = epoch;
    x.kind = "k0";
    return x;
  }
  word_passed word(uint64_t on, word_kind what, uint64_t number = 1) const {
    word_passed x;
    x.connection = on;
    x.what = what;
    x.number = number;
    x.key = what == word_kind::ended ? key : "";
    x.succeeded = what == word_kind::ended;
    x.result = what == word_kind::ended ? "{}" : "";
    return x;
  }
  void say(word_passed x) {
    x.at = told.now;
    x.heard = false;
    told.judge.saw(x);
  }
  void hear(word_passed x) {
    x.at = told.now;
    x.heard = true;
    told.judge.saw(x);
  }
  void pass(const word_passed& x) {
    say(x);
    hear(x);
  }
  void rest() { told.judge.saw(at_rest{told.now}); }

  // ---- workers --------------------------------------------------------------

  uint64_t work(uint64_t by, uint32_t attempt = 1, const std::string& of = {}) {
    told.judge.saw(work_begun{told.now, ++works_, worker(by), "k0", of.empty() ? key : of, attempt});
    return works_;
  }
  void done(uint64_t work, const std::string& output = "{}") {
    told.judge.saw(work_ended{told.now, work, true, output});
  }
  /// The call is given to this worker, which begins it.
  uint64_t do_call(uint64_t on, uint64_t number = 1, int64_t epoch = 1) {
    pass(given(on, number, epoch));
    pass(word(on, word_kind::begun, number));
    return work(on);
  }

  std::string broken() const { return told.broken(); }

  history told;
  place node = told.here;
  std::string key = to_string(told.run) + "/a";

private:
  uint64_t works_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(auditor_worker_test)

BOOST_AUTO_TEST_CASE(a_call_that_is_done_and_answered_breaks_nothing) {
  worker_history x;
  const auto call = x.call();
  const auto work = x.do_call(1);
  x.rest();
  x.done(work);
  x.pass(x.word(1, word_kind::ended));
  x.answered(call);
  x.rest();
  BOOST_TEST(x.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_call_is_given_to_one_worker_at_a_time) {
  worker_history twice;
  twice.call();
  twice.say(twice.given(1, 1));
  twice.say(twice.given(2, 2));
  BOOST_TEST(twice.broken() == "call_given_once");

  worker_history again;
  again.call();
  again.say(again.given(1));
  again.link(1, true, false);
  again.say(again.given(2));
  BOOST_TEST(again.broken() == "");

  worker_history leaves;
  leaves.call();
  leaves.pass(leaves.word(1, word_kind::leaving, 0));
  leaves.told.pass(1ms);
  leaves.say(leaves.given(1));
  BOOST_TEST(leaves.broken() == "call_given_once");
}

BOOST_AUTO_TEST_CASE(who_holds_a_call_is_asked_for_it) {
  worker_history x;
  auto held = x.word(2, word_kind::held, 0);
  held.held = {{x.key, 1}};
  x.pass(held);
  x.told.pass(1ms);
  x.call();
  x.say(x.given(1));
  BOOST_TEST(x.broken() == "holder_is_asked");
}

BOOST_AUTO_TEST_CASE(no_call_waits_beside_room) {
  worker_history x;
  x.call();
  x.rest();
  BOOST_TEST(x.broken() == "room_is_used");

  worker_history full;
  full.call();
  for (const uint64_t each : {1, 2}) {
    auto none = full.word(each, word_kind::room, 0);
    none.kind = "k0";
    full.pass(none);
  }
  full.rest();
  BOOST_TEST(full.broken() == "");
}

BOOST_AUTO_TEST_CASE(silence_ends_an_attempt_and_nothing_else_does) {
  worker_history silent;
  silent.call();
  auto given = silent.given(1);
  given.heartbeat = 1s;
  silent.pass(given);
  silent.pass(silent.word(1, word_kind::begun));
  silent.work(1);
  silent.told.pass(2s);
  silent.rest();
  BOOST_TEST(silent.broken() == "silence_ends");

  worker_history lively;
  const auto call = lively.call();
  lively.pass(given);
  lively.pass(lively.word(1, word_kind::begun));
  lively.failed(call, "no heartbeat within 1s from worker 'oven'");
  BOOST_TEST(lively.broken() == "silence_ends");
}

BOOST_AUTO_TEST_CASE(an_answer_comes_from_who_has_the_call) {
  worker_history other;
  const auto call = other.call();
  other.say(other.given(1));
  other.hear(other.word(2, word_kind::ended));
  other.answered(call);
  BOOST_TEST(other.broken() == "answer_of_holder");

  worker_history changed;
  const auto second = changed.call();
  changed.say(changed.given(1));
  changed.hear(changed.word(1, word_kind::ended));
  changed.answered(second, R"({"more":1})");
  BOOST_TEST(changed.broken() == "answer_of_holder");
}

BOOST_AUTO_TEST_CASE(nothing_is_done_that_was_not_asked_for) {
  worker_history x;
  x.work(1);
  BOOST_TEST(x.broken() == "work_is_given");
}

BOOST_AUTO_TEST_CASE(a_key_is_done_once_at_a_time) {
  worker_history x;
  x.call();
  x.do_call(1);
  x.work(1);
  BOOST_TEST(x.broken() == "work_apart");
}

BOOST_AUTO_TEST_CASE(a_worker_does_no_more_at_once_than_it_offered) {
  worker_history x;
  for (uint64_t number = 1; number <= 3; ++number) {
    auto given = x.given(1, number);
    given.key = "key" + std::to_string(number);
    x.hear(given);
    x.say(x.word(1, word_kind::begun, number));
    x.work(1, 1, given.key);
  }
  BOOST_TEST(x.broken() == "slots_kept");
}

BOOST_AUTO_TEST_CASE(a_result_that_is_kept_is_not_made_again) {
  worker_history x;
  x.call();
  x.done(x.do_call(1));
  x.pass(x.word(1, word_kind::ended));
  x.link(1, false, false);
  x.told.pass(5min);
  x.link(1, false, true);
  x.hear(x.given(1, 7));
  x.say(x.word(1, word_kind::begun, 7));
  x.work(1);
  BOOST_TEST(x.broken() == "result_is_kept");

  worker_history old;
  old.call();
  old.done(old.do_call(1));
  old.pass(old.word(1, word_kind::ended));
  old.told.pass(11s);
  old.hear(old.given(1, 7));
  old.say(old.word(1, word_kind::begun, 7));
  old.work(1);
  BOOST_TEST(old.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_worker_answers_what_its_function_returned) {
  worker_history x;
  x.call();
  x.done(x.do_call(1), R"({"other":1})");
  x.say(x.word(1, word_kind::ended));
  BOOST_TEST(x.broken() == "answer_is_worked");
}

BOOST_AUTO_TEST_CASE(the_youngest_owner_gets_the_answer) {
  worker_history x;
  x.call();
  const auto work = x.do_call(1, 1, 1);
  x.hear(x.given(1, 2, 2));
  x.say(x.word(1, word_kind::begun, 2));
  x.done(work);
  x.say(x.word(1, word_kind::ended, 1));
  BOOST_TEST(x.broken() == "youngest_is_answered");
}

BOOST_AUTO_TEST_CASE(a_function_sees_that_its_call_was_dropped) {
  worker_history deaf;
  deaf.call();
  deaf.do_call(1);
  deaf.hear(deaf.word(1, word_kind::dropped));
  deaf.rest();
  BOOST_TEST(deaf.broken() == "dropped_is_told");

  worker_history told;
  told.call();
  const auto work = told.do_call(1);
  told.hear(told.word(1, word_kind::dropped));
  told.told.judge.saw(work_cancelled{told.told.now, work});
  told.rest();
  BOOST_TEST(told.broken() == "");
}

BOOST_AUTO_TEST_CASE(what_was_begun_is_answered) {
  worker_history x;
  x.call();
  x.done(x.do_call(1));
  x.rest();
  BOOST_TEST(x.broken() == "begun_is_ended");
}

BOOST_AUTO_TEST_SUITE_END()
