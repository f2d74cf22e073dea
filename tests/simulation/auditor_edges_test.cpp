// Rules on runs that are ended at once or seen to, on nodes that are without something, on doubt and on waits: each
// kept once and broken once.
#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

namespace {

const fact terminated{event_kind::terminate_requested, {}, 0, {{"by", "ann"}}};
const fact cancelled{event_kind::run_cancelled};
const fact resolved{event_kind::attention_resolved, {}, 0, {{"by", "ann"}}};

bool breaks(const history& x, rule broken) {
  return x.broken().find(to_string(broken)) != std::string::npos;
}

void rest(history& x) {
  x.judge.saw(at_rest{x.now});
}

/// A run that ended at once while its first step was out.
void terminate(history& x, const std::vector<fact>& how = {terminated, cancelled}) {
  x.begin();
  x.call("a");
  const auto wish = x.wish(wish_kind::terminate, "ann");
  x.write(how);
  x.grant(wish);
  rest(x);
}

/// A run that failed at its first step.
void fail(history& x) {
  x.begin();
  x.fail_finally("a", {failed});
}

/// What a worker hears and says, by its connection's number.
void link(history& x, uint64_t connection, bool up) {
  const auto worker = place_of_worker(static_cast<int>(connection), 0);
  x.judge.saw(link_changed{x.now, connection, x.here, worker, true, up, {{"k0", 2}}, {}});
}
word_passed given(const history& x, uint64_t connection) {
  word_passed word;
  word.at = x.now;
  word.connection = connection;
  word.number = connection;
  word.key = to_string(x.run) + "/a";
  word.attempt = 1;
  word.epoch = 1;
  word.kind = "k0";
  return word;
}

} // namespace

BOOST_AUTO_TEST_SUITE(auditor_edges_test)

// ---- terminate --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_terminated_run_has_ended_with_what_was_in_hand) {
  history kept;
  terminate(kept);
  kept.finish();
  BOOST_TEST(kept.broken() == "");
  BOOST_TEST(kept.story().needs_attention());
}

BOOST_AUTO_TEST_CASE(nothing_is_undone_once_a_run_is_terminated) {
  history undoes;
  undoes.begin();
  undoes.succeed("a");
  undoes.wish(wish_kind::terminate, "ann");
  undoes.write({terminated, compensates});
  BOOST_TEST(breaks(undoes, rule::terminate_is_final));
}

BOOST_AUTO_TEST_CASE(nothing_is_called_or_given_once_a_run_is_terminated) {
  history calls;
  terminate(calls);
  calls.call("a", 2);
  BOOST_TEST(breaks(calls, rule::terminate_is_final));

  history undoes;
  terminate(undoes);
  undoes.undo("a");
  BOOST_TEST(breaks(undoes, rule::terminate_is_final));

  history gives;
  link(gives, 1, true);
  terminate(gives);
  gives.judge.saw(given(gives, 1));
  BOOST_TEST(breaks(gives, rule::terminate_is_final));
}

BOOST_AUTO_TEST_CASE(no_worker_is_left_with_a_call_of_a_terminated_run) {
  const auto with_worker = [](history& x, bool drops) {
    x.begin();
    link(x, 1, true);
    x.judge.saw(given(x, 1));
    const auto wish = x.wish(wish_kind::terminate, "ann");
    x.write({terminated, cancelled});
    x.grant(wish);
    auto word = given(x, 1);
    word.what = word_kind::dropped;
    if (drops)
      x.judge.saw(word);
    rest(x);
    rest(x);
  };
  history kept;
  with_worker(kept, true);
  BOOST_TEST(!breaks(kept, rule::terminate_is_final));

  history goes_on;
  with_worker(goes_on, false);
  BOOST_TEST(breaks(goes_on, rule::terminate_is_final));
}

BOOST_AUTO_TEST_CASE(a_run_that_has_ended_is_not_terminated) {
  history refused;
  refused.begin();
  refused.succeed("a");
  refused.succeed("b", 1, {completed});
  refused.deny(refused.wish(wish_kind::terminate, "ann"), "conflict");
  BOOST_TEST(refused.broken() == "");

  history early;
  early.begin();
  early.deny(early.wish(wish_kind::terminate, "ann"), "conflict");
  BOOST_TEST(early.broken() == "rejection_durable");

  history again;
  again.begin();
  again.succeed("a");
  again.succeed("b", 1, {completed});
  again.wish(wish_kind::terminate, "ann");
  again.write({terminated, cancelled});
  BOOST_TEST(breaks(again, rule::one_end));
}

// ---- attention --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_resolved_run_needs_nobody_until_a_person_retries_it) {
  history kept;
  fail(kept);
  const auto wish = kept.wish(wish_kind::resolve, "ann");
  kept.write({resolved});
  kept.grant(wish);
  rest(kept);
  BOOST_TEST(!kept.story().needs_attention());
  kept.wish(wish_kind::retry, "bob");
  kept.write({{event_kind::run_retried, {}, 0, {{"by", "bob"}}}});
  kept.call("a", 2);
  BOOST_TEST(kept.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_resolved_run_is_settled) {
  history twice;
  fail(twice);
  twice.wish(wish_kind::resolve, "ann");
  twice.write({resolved});
  twice.write({resolved});
  BOOST_TEST(breaks(twice, rule::resolved_is_settled));

  history goes_on;
  fail(goes_on);
  goes_on.wish(wish_kind::resolve, "ann");
  goes_on.write({resolved});
  goes_on.write({failed});
  BOOST_TEST(breaks(goes_on, rule::resolved_is_settled));

  history calls;
  fail(calls);
  const auto wish = calls.wish(wish_kind::resolve, "ann");
  calls.write({resolved});
  calls.grant(wish);
  rest(calls);
  calls.call("b");
  BOOST_TEST(breaks(calls, rule::resolved_is_settled));
}

BOOST_AUTO_TEST_CASE(what_needs_nobody_is_not_resolved) {
  history completes;
  completes.begin();
  completes.succeed("a");
  completes.succeed("b", 1, {completed});
  completes.deny(completes.wish(wish_kind::resolve, "ann"), "conflict");
  BOOST_TEST(completes.broken() == "");
  completes.wish(wish_kind::resolve, "ann");
  completes.write({resolved});
  BOOST_TEST(breaks(completes, rule::journal_order));

  history needs;
  fail(needs);
  needs.deny(needs.wish(wish_kind::resolve, "ann"), "conflict");
  BOOST_TEST(needs.broken() == "rejection_durable");
}

// ---- nodes ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_call_has_the_value_of_every_variable) {
  const auto at = [](const char* address) {
    history x;
    x.begin();
    x.call("a", 1, [&](call_made& call) { call.address = address; });
    return x.broken();
  };
  BOOST_TEST(at("http://service/do") == "");
  BOOST_TEST(at("/do") == "variables_are_filled");
  BOOST_TEST(at("http://service/${place}") == "variables_are_filled");
}

BOOST_AUTO_TEST_CASE(a_node_that_is_without_something_may_give_up_what_another_began) {
  const auto abandoned = [](bool lacks) {
    history x;
    x.begin();
    x.call("a");
    x.kill(x.here);
    x.judge.saw(process_changed{x.now, x.there, process_change::booted, lacks});
    x.pass(10s);
    x.own(x.there, 2);
    x.wish(wish_kind::cancel, "ann");
    x.write(
      {{event_kind::cancel_requested, {}, 0, {{"by", "ann"}}},
       {event_kind::step_failed, "a", 1, {{"kind", "abandoned"}, {"message", "no variable"}, {"unknown", true}}},
       cancelled});
    return x.broken();
  };
  BOOST_TEST(abandoned(true) == "");
  BOOST_TEST(abandoned(false) == "outcome_is_answer");
}

// ---- workers that are lost --------------------------------------------------

BOOST_AUTO_TEST_CASE(who_takes_a_run_up_counts_the_workers_that_were_lost) {
  const auto taken_up = [](size_t lost) {
    history x;
    x.begin();
    for (size_t i = 0; i < lost; ++i)
      x.write({{event_kind::delivery_lost, "a", 1, {{"worker", "w"}}}});
    link(x, 1, true);
    x.judge.saw(given(x, 1));
    link(x, 1, false);
    link(x, 2, true);
    x.judge.saw(given(x, 2));
    return breaks(x, rule::deliveries_bounded);
  };
  BOOST_TEST(!taken_up(0));
  BOOST_TEST(taken_up(1));
}

// ---- doubt and waits --------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_answer_that_was_cut_leaves_an_unknown_outcome) {
  const auto cut = [](bool said) {
    history x;
    x.begin();
    x.judge.saw(call_told{x.now, x.call("a"), std::nullopt, "retryable", true, {}, true});
    auto fails = x.fails_for_now("a", 1s);
    fails.body["unknown"] = said;
    x.write({fails});
    return x.broken();
  };
  BOOST_TEST(cut(true) == "");
  BOOST_TEST(cut(false) == "unknown_is_said");
}

BOOST_AUTO_TEST_CASE(a_wait_takes_its_time_whatever_the_clock_is_set_to) {
  const auto waits = [](duration truly) {
    history x([](workflow_known& flow) { flow.steps.front().retry_wait = {2s, 1, 2s, 0}; });
    x.begin();
    x.fail(x.call("a"), "retryable");
    x.write({x.fails_for_now("a", 2s)});
    x.pass(truly);
    // By the node's own clock it is late enough.
    x.write({{event_kind::attempt_started, "a", 2}}, [&](run_written& written) {
      written.events.front().at += 5s;
      written.row->updated_at += 5s;
    });
    return x.broken();
  };
  BOOST_TEST(waits(2s) == "");
  BOOST_TEST(waits(1s) == "waits_are_true");
}

BOOST_AUTO_TEST_SUITE_END()
