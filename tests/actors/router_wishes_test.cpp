// Wishes and explanations at any node: they reach the owner of the run, or are refused with a sentence.
#include <boost/test/unit_test.hpp>

#include <caf/send.hpp>

#include "tests/support/cluster_watch.hpp"
#include "tests/support/has.hpp"
#include "tests/support/peer_net.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

using reason = wish_refused::reason_type;

bool granted(const peer_net::told<wish_outcome>& told) {
  BOOST_TEST_REQUIRE(told->has_value(), "the wish has no outcome yet");
  return std::holds_alternative<wish_granted>(**told);
}

wish_refused refusal(const peer_net::told<wish_outcome>& told) {
  BOOST_TEST_REQUIRE(told->has_value(), "the wish has no outcome yet");
  BOOST_TEST_REQUIRE(std::holds_alternative<wish_refused>(**told), "the wish was granted");
  return std::get<wish_refused>(**told);
}

std::vector<std::string> kinds_of(const explanation& said) {
  std::vector<std::string> kinds;
  for (const auto& each : said.waits)
    kinds.push_back(each.kind);
  return kinds;
}

/// Two nodes that share the shards, and know it.
class two_nodes : public peer_net {
public:
  /// The clock of the first one is off by `offset`.
  explicit two_nodes(const router_options& routing = {}, const duration* offset = nullptr) {
    add({}, routing, offset);
    add({}, routing);
    advance(5 * one_beat);
    know();
  }
  run_id run_at(size_t node) { return start_many(peer_net::node(node), 1).front(); }
  /// Paused, with no call out: nothing keeps its shard when that is to leave.
  run_id idle_run_at(size_t at) {
    const auto run = run_at(at);
    BOOST_TEST(granted(change(at, run, pause_asked{"eve"})));
    node(at).calls->answer("one", std::string("{}"));
    settle();
    return run;
  }
  size_t events(const run_id& run, event_kind kind) {
    const auto story = node(0).story(run);
    return static_cast<size_t>(std::count(story.begin(), story.end(), kind));
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(router_wishes_test)

BOOST_AUTO_TEST_CASE(a_wish_at_any_node_reaches_the_owner) {
  two_nodes net;
  for (const size_t owner : {0U, 1U})
    for (const size_t at : {0U, 1U}) {
      const auto run = net.run_at(owner);
      const auto before = net.asked();
      BOOST_TEST(granted(net.change(at, run, pause_asked{"ann"})));
      BOOST_TEST(net.events(run, event_kind::run_paused) == 1u);
      BOOST_TEST(net.asked() - before == (owner == at ? 0u : 1u));
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_of_the_owner_comes_back_as_it_is) {
  two_nodes net;
  const auto run = net.run_at(1);
  const auto there = refusal(net.change(1, run, resume_asked{"ann"}));
  const auto here = refusal(net.change(0, run, resume_asked{"ann"}));
  BOOST_TEST((here.reason == reason::conflict));
  BOOST_TEST(here.message == there.message);
}

BOOST_AUTO_TEST_CASE(a_wish_while_the_shard_changes_hands_waits_and_is_granted_at_the_new_owner) {
  two_nodes net;
  const auto run = net.idle_run_at(0);
  ask_to_drain(net.node(0), net.id_of(0));
  const auto told = net.change(1, run, cancel_asked{"ann", "burnt"});
  BOOST_TEST(!told->has_value(), "it was not waited for");
  net.advance(2 * one_beat);
  BOOST_TEST(!told->has_value(), "the view is old, so nobody can have been found");
  net.know();
  net.advance(300ms);
  BOOST_TEST(granted(told));
  BOOST_TEST(net.events(run, event_kind::cancel_requested) == 1u);
}

BOOST_AUTO_TEST_CASE(a_wish_that_nobody_takes_in_time_is_refused_with_a_sentence) {
  two_nodes net;
  const auto run = net.idle_run_at(0);
  ask_to_drain(net.node(0), net.id_of(0));
  const auto told = net.change(1, run, resume_asked{"ann"});
  net.advance(router_options{}.route_time_max - 300ms);
  BOOST_TEST(!told->has_value(), "it was refused too early");
  net.advance(300ms);
  const auto refused = refusal(told);
  BOOST_TEST((refused.reason == reason::elsewhere));
  BOOST_TEST(has(refused.message, "is changing hands"), refused.message);
  BOOST_TEST(has(refused.message, to_string(run)), refused.message);
  BOOST_TEST(net.events(run, event_kind::run_resumed) == 0u);
}

BOOST_AUTO_TEST_CASE(a_run_whose_shard_is_about_to_leave_is_changed_where_it_is) {
  two_nodes net;
  const auto run = net.run_at(0); // A call is out.
  ask_to_drain(net.node(0), net.id_of(0));
  BOOST_TEST(granted(net.change(1, run, pause_asked{"ann"})));
}

BOOST_AUTO_TEST_CASE(a_node_without_a_connection_is_tried_again_and_then_given_up) {
  two_nodes net;
  const auto run = net.run_at(1);
  net.cut(0, 1);
  const auto told = net.change(0, run, pause_asked{"ann"});
  net.advance(1s);
  BOOST_TEST(net.asked() == 1u + 1s / router_options{}.route_interval);
  BOOST_TEST(!told->has_value());
  net.advance(4s);
  const auto refused = refusal(told);
  BOOST_TEST((refused.reason == reason::elsewhere));
  BOOST_TEST(has(refused.message, "this node has no connection with it"), refused.message);
}

BOOST_AUTO_TEST_CASE(a_connection_that_comes_back_in_time_is_used) {
  two_nodes net;
  const auto run = net.run_at(1);
  net.cut(0, 1);
  const auto told = net.change(0, run, pause_asked{"ann"});
  net.advance(1s);
  net.mend();
  net.advance(200ms);
  BOOST_TEST(granted(told));
  BOOST_TEST(net.events(run, event_kind::run_paused) == 1u);
}

BOOST_AUTO_TEST_CASE(a_wish_whose_answer_is_lost_is_never_asked_again) {
  two_nodes net;
  const auto run = net.run_at(1);
  net.lose_answers(0, 1);
  const auto refused = refusal(net.change(0, run, pause_asked{"ann"}));
  BOOST_TEST((refused.reason == reason::unavailable));
  BOOST_TEST(has(refused.message, "look at the run"), refused.message);
  net.mend();
  net.advance(6s);
  BOOST_TEST(net.asked() == 1u);
  BOOST_TEST(net.events(run, event_kind::run_paused) == 1u);
}

BOOST_AUTO_TEST_CASE(a_request_that_waits_for_its_answer_is_not_sent_a_second_time) {
  two_nodes net;
  const auto run = net.run_at(1);
  net.holds_requests = true;
  const auto told = net.change(0, run, pause_asked{"ann"});
  net.advance(2s);
  BOOST_TEST(net.asked() == 1u);
  BOOST_TEST(!told->has_value());
  net.holds_requests = false;
  net.settle();
  BOOST_TEST(granted(told));
}

BOOST_AUTO_TEST_CASE(more_wishes_than_may_be_on_their_way_are_refused) {
  two_nodes net({.routed_max = 2});
  const auto run = net.run_at(1);
  net.holds_requests = true;
  net.change(0, run, pause_asked{"ann"});
  net.change(0, run, pause_asked{"bob"});
  const auto refused = refusal(net.change(0, run, pause_asked{"cid"}));
  BOOST_TEST((refused.reason == reason::unavailable));
  BOOST_TEST(has(refused.message, "2 wishes are on their way to their runs (routed_max)"), refused.message);
  net.holds_requests = false;
  net.settle();
  BOOST_TEST(granted(net.change(0, run, resume_asked{"cid"})));
}

BOOST_AUTO_TEST_CASE(a_router_that_ends_answers_everybody) {
  two_nodes net;
  const auto run = net.run_at(1);
  net.cut(0, 1);
  const auto waits = net.change(0, run, pause_asked{"ann"});
  net.mend();
  net.holds_requests = true;
  const auto sent = net.change(0, run, pause_asked{"bob"});
  net.end_router(0);
  for (const auto& each : {waits, sent})
    BOOST_TEST((refusal(each).reason == reason::unavailable));
  net.holds_requests = false;
  net.settle();
}

BOOST_AUTO_TEST_CASE(a_node_that_had_no_turn_for_too_long_asks_for_no_answer_in_no_time) {
  // The links fail the test when they are asked for an answer in no time.
  two_nodes net({.route_time_max = 1s, .route_interval = 200ms});
  const auto run = net.run_at(1);
  net.cut(0, 1);
  const auto told = net.change(0, run, pause_asked{"ann"});
  dynamic_cast<caf::scheduler::test_coordinator&>(net.node(0).system().scheduler()).advance_time(3s);
  net.settle();
  BOOST_TEST((refusal(told).reason == reason::elsewhere));
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_keeps_no_wish_waiting) {
  duration offset{};
  two_nodes net({}, &offset);
  const auto run = net.run_at(1);
  net.cut(0, 1);
  const auto told = net.change(0, run, pause_asked{"ann"});
  offset = -5min;
  net.advance(1s);
  net.know(); // The next heartbeat.
  net.advance(6s);
  BOOST_TEST((refusal(told).reason == reason::elsewhere));
}

// ---- explanations -----------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_run_is_explained_from_any_node) {
  two_nodes net;
  const auto run = net.run_at(1);
  const auto itself = net.node(1).explain_run(run);
  for (const size_t at : {0U, 1U}) {
    const auto told = net.explain(at, run);
    BOOST_TEST_REQUIRE(told->has_value());
    const auto& said = std::get<explanation>(**told);
    BOOST_TEST(said.summary == itself.summary);
    BOOST_TEST(kinds_of(said) == kinds_of(itself), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_run_is_explained_to_its_tenant_only) {
  two_nodes net;
  const auto run = net.run_at(1);
  tenant_id stranger;
  stranger.value.bytes[0] = 0xaa;
  const auto told = net.explain(0, run, stranger);
  BOOST_TEST_REQUIRE(told->has_value());
  BOOST_TEST((std::get<wish_refused>(**told).reason == reason::not_found));
}

BOOST_AUTO_TEST_CASE(a_run_whose_owner_cannot_be_reached_is_explained_from_the_journal) {
  two_nodes net;
  const auto run = net.run_at(1);
  const auto itself = net.node(1).explain_run(run);
  net.cut(0, 1);
  const auto unreachable = net.explain(0, run);
  net.mend();
  net.lose_answers(0, 1);
  const auto lost = net.explain(0, run);
  for (const auto& told : {unreachable, lost}) {
    BOOST_TEST_REQUIRE(told->has_value());
    const auto* said = std::get_if<explanation>(&**told);
    BOOST_TEST_REQUIRE(said != nullptr);
    BOOST_TEST(said->summary == itself.summary);
    // What only the run's actor knows is not told, and that it is elsewhere is.
    BOOST_TEST(kinds_of(*said).back() == "owner");
  }
}

BOOST_AUTO_TEST_SUITE_END()
