// The rules that several nodes are held to together.
#include "tests/simulation/auditor_history.hpp"

using namespace levain;
using namespace levain::simulation;
using namespace levain::simulation::test;

namespace {

void names_itself(start_asked& x) {
  x.by = "caller-1";
}

/// The run says that `caller-1` triggered it.
void accept_named(history& x) {
  x.accept([](run_written& written) {
    auto body = json::parse(written.events.front().body);
    body["triggered_by"] = "caller-1";
    written.events.front().body = body.dump();
    written.row->triggered_by = "caller-1";
  });
}

/// A node that lives and has these shards.
void hold(history& x, const place& who, uint8_t id, int first, int last, epoch_number epoch) {
  uuid node;
  node.bytes[0] = id;
  x.judge.saw(lease_renewed{x.now, who, 5s, node});
  for (int shard = first; shard <= last; ++shard)
    x.judge.saw(shard_owned{x.now, who, static_cast<shard_number>(shard), epoch, node});
}

void mark(history& x, uint8_t id, bool draining) {
  uuid node;
  node.bytes[0] = id;
  x.judge.saw(node_marked{x.now, node, draining});
}

/// Two nodes after the one that every history begins with has died: with `many` and with `few` shards.
class two_nodes : public history {
public:
  two_nodes(int many, int few) {
    kill(here);
    pass(6s);
    boot({3, 0});
    boot({4, 0});
    hold(*this, {3, 0}, 30, 0, many - 1, 2);
    hold(*this, {4, 0}, 40, many, many + few - 1, 2);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(auditor_cluster_test)

BOOST_AUTO_TEST_CASE(whoever_asks_once_gets_one_run) {
  history kept;
  const auto asked = kept.ask(names_itself);
  accept_named(kept);
  kept.acknowledge(asked);
  BOOST_TEST(kept.broken() == "");

  history twice;
  const auto once = twice.ask(names_itself);
  accept_named(twice);
  twice.acknowledge(once);
  // The same again, of another run.
  run_written second;
  history other;
  other.accept([&](run_written& x) { second = x; });
  second.run.value.bytes[10] = 0x77;
  auto body = json::parse(second.events.front().body);
  body["triggered_by"] = "caller-1";
  second.events.front().body = body.dump();
  twice.judge.saw(second);
  BOOST_TEST(twice.broken().starts_with("start_once"), twice.broken());

  history another;
  const auto stranger = another.ask(names_itself);
  another.accept();
  another.acknowledge(stranger);
  BOOST_TEST(another.broken() == "start_once");
}

BOOST_AUTO_TEST_CASE(a_refused_start_makes_no_run_unless_it_says_that_it_may) {
  history before;
  const auto first = before.ask(names_itself);
  accept_named(before);
  before.refuse(first, "not_ready");
  BOOST_TEST(before.broken() == "start_refused_clean");

  history after;
  after.refuse(after.ask(names_itself), "busy");
  accept_named(after);
  BOOST_TEST(after.broken() == "start_refused_clean");

  history doubt;
  doubt.refuse(doubt.ask(names_itself), "in_doubt");
  accept_named(doubt);
  BOOST_TEST(doubt.broken() == "");
}

BOOST_AUTO_TEST_CASE(a_wish_that_is_elsewhere_was_heard_by_nobody) {
  history heard;
  heard.begin();
  heard.deny(heard.wish(wish_kind::pause, "ann"), "elsewhere");
  heard.write({{event_kind::run_paused, {}, 0, {{"by", "ann"}}}});
  BOOST_TEST(heard.broken() == "wish_refused_clean");

  history stranger;
  stranger.begin();
  stranger.deny(
    stranger.wish(wish_kind::pause, "ann", [&](wish_asked& x) { x.tenant = stranger.stranger; }), "elsewhere");
  BOOST_TEST(stranger.broken() == "");
}

BOOST_AUTO_TEST_CASE(every_shard_belongs_to_a_node_that_lives) {
  history dead;
  dead.kill(dead.here);
  dead.pass(6s);
  dead.boot({3, 0});
  uuid node;
  node.bytes[0] = 30;
  dead.judge.saw(lease_renewed{dead.now, {3, 0}, 5s, node});
  dead.finish();
  BOOST_TEST(dead.broken() == "shards_are_owned");

  history given_back;
  given_back.judge.saw(shard_freed{given_back.now, given_back.here, shard_of(given_back.run)});
  given_back.finish();
  BOOST_TEST(given_back.broken() == "shards_are_owned");
}

BOOST_AUTO_TEST_CASE(no_node_has_two_shards_more_than_another) {
  two_nodes even(32, 31);
  even.finish();
  BOOST_TEST(even.broken() == "");
  two_nodes uneven(33, 31);
  uneven.finish();
  BOOST_TEST(uneven.broken() == "shares_are_even");
}

BOOST_AUTO_TEST_CASE(a_node_that_drains_has_no_shards_if_others_may) {
  two_nodes kept(64, 0);
  mark(kept, 40, true);
  kept.finish();
  BOOST_TEST(kept.broken() == "");

  two_nodes keeps(63, 1);
  mark(keeps, 40, true);
  keeps.finish();
  BOOST_TEST(keeps.broken() == "drained_is_empty");

  two_nodes all(63, 1);
  mark(all, 30, true);
  mark(all, 40, true);
  all.finish();
  BOOST_TEST(all.broken() == "");

  two_nodes no_more(64, 0);
  mark(no_more, 40, true);
  mark(no_more, 40, false);
  no_more.finish();
  BOOST_TEST(no_more.broken() == "shares_are_even");
}

BOOST_AUTO_TEST_CASE(questions_are_answered_once_and_to_the_tenant) {
  const auto ask = [](history& x, const tenant_id& by) {
    x.begin();
    x.judge.saw(question_asked{x.now, 99, x.here, x.run, by});
  };
  const auto told = [](history& x, bool explained, const std::string& refusal) {
    x.judge.saw(question_told{x.now, 99, explained, refusal});
  };
  history kept;
  ask(kept, kept.tenant);
  told(kept, true, "");
  BOOST_TEST(kept.broken() == "");

  history twice;
  ask(twice, twice.tenant);
  told(twice, true, "");
  told(twice, true, "");
  BOOST_TEST(twice.broken() == "told_once");

  history never;
  ask(never, never.tenant);
  never.succeed("a");
  never.succeed("b", 1, {completed});
  never.finish();
  BOOST_TEST(never.broken() == "told_once");

  history denied;
  ask(denied, denied.tenant);
  told(denied, false, "not_found");
  BOOST_TEST(denied.broken() == "tenants_apart");

  history away;
  ask(away, away.tenant);
  told(away, false, "unavailable");
  BOOST_TEST(away.broken() == "");

  history stranger;
  ask(stranger, stranger.stranger);
  told(stranger, true, "");
  BOOST_TEST(stranger.broken() == "tenants_apart");

  history dead;
  ask(dead, dead.tenant);
  dead.kill(dead.here);
  told(dead, true, "");
  BOOST_TEST(dead.broken() == "dead_are_silent");
}

BOOST_AUTO_TEST_SUITE_END()
