// How a run goes from a node that is not to act for it any more: fenced, or handed over.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>

#include "tests/actors/scripted_runs.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

/// Refuses the next append, and cannot be read from then on.
struct refusal_and_outage {
  explicit refusal_and_outage(actor_world& world) {
    world.manners->can_read = [this] { return readable; };
    world.manners->on_row = [this](const run_append&) -> std::optional<std::string> {
      if (std::exchange(refused, true))
        return std::nullopt;
      readable = false;
      return "column body: cannot be stored";
    };
  }
  bool readable = true;
  bool refused = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(run_leaving_test)

BOOST_AUTO_TEST_CASE(a_fenced_run_stops_and_says_nothing_more) {
  actor_world world;
  auto start = world.start(chain());
  world.settle();
  const auto run = start->run().run;
  const auto events = world.database->events(run).size();
  world.database->set_epoch(shard_of(run), world.database->epoch(shard_of(run)) + 1);
  world.calls->answer("one", "{}");
  auto paused = world.ask(run, pause_asked{"mara"});
  world.settle();
  BOOST_TEST(world.database->events(run).size() == events);
  BOOST_TEST(world.calls->count(to_string(run) + "/two") == 0u);
  BOOST_TEST_REQUIRE(paused->has_value());
  BOOST_TEST(std::holds_alternative<wish_refused>(**paused));
}

BOOST_AUTO_TEST_CASE(a_fenced_run_is_not_read_back_before_the_lease_keeper_hears_of_it) {
  actor_world world;
  auto start = world.start(chain());
  world.settle();
  const auto run = start->run().run;
  // Nothing that the writer says reaches a lease keeper any more.
  caf::anon_send_exit(world.lease_keeper_handle, caf::exit_reason::kill);
  world.settle();
  world.database->set_epoch(shard_of(run), world.database->epoch(shard_of(run)) + 1);
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST(world.status().runs_live == 0u);
  BOOST_TEST(world.status().shards_ready == shard_count - 1);
  auto paused = world.ask(run, pause_asked{"mara"});
  world.settle();
  BOOST_TEST_REQUIRE(paused->has_value());
  const auto* refused = std::get_if<wish_refused>(&**paused);
  BOOST_TEST_REQUIRE(refused);
  BOOST_TEST((refused->reason == wish_refused::reason_type::unavailable));
  BOOST_TEST(world.status().runs_live == 0u);
  BOOST_TEST(world.calls->count(to_string(run) + "/one") == 1u);
}

BOOST_AUTO_TEST_CASE(a_shard_that_was_taken_again_stays_ready_when_a_run_of_before_is_fenced) {
  actor_world world;
  auto start = world.start(chain());
  world.settle();
  const auto run = start->run().run;
  const shard_number shard = shard_of(run);
  const shard_lease again{shard, world.database->epoch(shard) + 1};
  caf::anon_send_exit(world.lease_keeper_handle, caf::exit_reason::kill);
  world.database->set_epoch(shard, again.epoch);
  caf::anon_send(
    world.dispatch, shards_recovered{{again}}); // Not of an epoch that it knows of: nothing is ready twice.
  BOOST_TEST(world.status().shards_ready == shard_count);
  caf::anon_send(world.dispatch, shards_taken{{again}});
  world.settle();
  const auto ready = world.status().shards_ready;
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST(world.status().shards_ready == ready - 1); // The entry of before alone.
  BOOST_TEST(world.status().shards_ready == shard_count);
}

BOOST_AUTO_TEST_CASE(a_run_whose_journal_cannot_be_read_leaves_for_another_node_all_the_same) {
  actor_world::options settings;
  settings.dispatcher.handover_grace = 10s;
  actor_world world(settings);
  auto start = world.start(chain());
  world.settle();
  const auto run = start->run().run;
  refusal_and_outage database(world);
  world.calls->answer("one", "{}");
  world.settle();
  caf::anon_send(world.dispatch, hand_over_shards{{{shard_of(run), world.database->epoch(shard_of(run))}}});
  world.advance(9s);
  BOOST_TEST(world.status().runs_live == 1u);
  world.advance(2s);
  BOOST_TEST(world.status().runs_live == 0u);
  BOOST_TEST(world.status().shards_leaving == 0u);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_read_back_while_it_is_handed_over_still_takes_its_answer) {
  actor_world world;
  auto start = world.start(chain());
  world.settle();
  const auto run = start->run().run;
  refusal_and_outage database(world);
  world.ask(run, pause_asked{"mara"});
  world.settle();
  BOOST_TEST(database.refused);
  caf::anon_send(world.dispatch, hand_over_shards{{{shard_of(run), world.database->epoch(shard_of(run))}}});
  world.settle();
  database.readable = true;
  world.advance(1500ms); // It asks once a second, and leaves after two.
  BOOST_TEST(world.status().runs_live == 1u);
  const auto events = world.database->events(run).size();
  world.calls->answer("one", "{}");
  world.settle();
  BOOST_TEST(world.status().runs_live == 0u);
  BOOST_TEST(world.database->events(run).size() > events); // What was answered here is not asked for again.
}

BOOST_AUTO_TEST_CASE(a_call_that_outlasts_the_grace_is_let_go_because_its_run_moves) {
  actor_world world;
  const auto start = world.start(chain());
  world.settle();
  const auto shard = shard_of(start->run().run);
  caf::anon_send(world.dispatch, hand_over_shards{{{shard, world.database->epoch(shard)}}});
  world.advance(3s);
  const auto& call = world.calls->calls().front();
  BOOST_TEST(call.given_up);
  BOOST_TEST(call.run_moves);
}

BOOST_AUTO_TEST_SUITE_END()
