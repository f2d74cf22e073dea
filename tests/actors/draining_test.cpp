// Nodes that are to hold no shards, because an operator said so.
#include <boost/test/unit_test.hpp>

#include <caf/send.hpp>

#include "tests/support/cluster_watch.hpp"
#include "tests/support/forgetful_leases.hpp"

using namespace levain;
using namespace levain::test;
using namespace std::chrono_literals;

namespace {

using counts = std::vector<size_t>;

/// The node itself at once, the others with their next heartbeat.
constexpr duration soon = one_beat + 100ms;

/// An operator marks a node in the last moment before the database has it under its next id.
class marking_leases : public forgetful_leases {
public:
  explicit marking_leases(std::unique_ptr<leases> real)
    : forgetful_leases(std::move(real), std::make_shared<std::set<std::string>>()) {}
  void join(const node_record& node, std::chrono::milliseconds lease, const std::optional<uuid>& follows) override {
    if (follows)
      BOOST_TEST(set_draining(*follows, true));
    forgetful_leases::join(node, lease, follows);
  }
};

/// All nodes but `other` stand still for longer than their lease, and it takes what they had.
void stand_still(shared_world& world, actor_world& other) {
  for (duration passed{}; passed < 10s; passed += shared_world::step) {
    world.pass_unseen(shared_world::step);
    other.advance(shared_world::step);
  }
  BOOST_TEST(other.status().shards_ready == size_t{shard_count});
}

} // namespace

BOOST_AUTO_TEST_SUITE(draining_test)

BOOST_AUTO_TEST_CASE(a_node_that_drains_hands_everything_over_without_waiting) {
  shared_world world;
  auto& first = world.add();
  world.add();
  world.advance(5 * one_beat);
  BOOST_TEST(std::get<bool>(ask_to_drain(first, living_node(world, 0).id).value()));
  BOOST_TEST(first.status().shards_ready == 0u);
  world.advance(soon);
  BOOST_TEST(world.ready() == (counts{0, 64}), boost::test_tools::per_element());
  const auto before = world.epochs();
  world.advance(30s);
  BOOST_TEST(world.epochs() == before, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(any_node_may_be_asked_to_drain_another) {
  shared_world world;
  auto& first = world.add();
  world.add();
  world.advance(5 * one_beat);
  BOOST_TEST(std::get<bool>(ask_to_drain(first, living_node(world, 1).id).value()));
  world.advance(2 * one_beat);
  BOOST_TEST(world.ready() == (counts{64, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_node_that_drains_no_more_gets_its_share_again) {
  shared_world world;
  auto& first = world.add();
  world.add();
  world.advance(5 * one_beat);
  const auto node = living_node(world, 0).id;
  ask_to_drain(first, node);
  world.advance(soon);
  BOOST_TEST(std::get<bool>(ask_to_drain(first, node, false).value()));
  world.advance(5 * one_beat);
  BOOST_TEST(world.ready() == (counts{32, 32}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(when_all_nodes_drain_each_keeps_what_it_has) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  ask_to_drain(first, living_node(world, 0).id);
  world.advance(soon);
  ask_to_drain(second, living_node(world, 1).id);
  world.advance(20s);
  // Not the even share: nothing moves.
  BOOST_TEST(world.ready() == (counts{0, 64}), boost::test_tools::per_element());
  BOOST_TEST(start_many(second, 1).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_node_alone_that_drains_goes_on) {
  shared_world world;
  auto& node = world.add();
  ask_to_drain(node, living_node(world, 0).id);
  world.advance(10s);
  BOOST_TEST(world.ready() == (counts{64}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_a_dead_node_had_is_taken_by_one_that_drains_when_nobody_else_is_there) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  ask_to_drain(first, living_node(world, 0).id);
  world.advance(soon);
  const auto runs = start_many(second, 5);
  second.crash();
  world.advance(10s);
  BOOST_TEST(first.status().shards_ready == size_t{shard_count});
  BOOST_TEST(first.status().runs_live == 5u);
  // And is given away again to whoever comes.
  world.add();
  world.advance(5 * one_beat);
  BOOST_TEST(world.ready() == (counts{0, 0, 64}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(calls_in_flight_end_where_they_began_and_none_is_made_twice) {
  // Given
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  const auto runs = start_many(first, 100);
  // When
  ask_to_drain(first, living_node(world, 0).id);
  BOOST_TEST(first.status().shards_leaving == 32u);
  world.advance(1s);
  first.calls->answer("one", "{}");
  world.advance(3 * one_beat);
  BOOST_TEST(world.ready() == (counts{0, 64}), boost::test_tools::per_element());
  BOOST_TEST(first.status().runs_live == 0u);
  second.calls->answer("two", "{}");
  world.advance(1s);
  // Then
  for (const auto& run : runs) {
    BOOST_TEST(terminal_events(*world.database, run) == 1u);
    BOOST_TEST(calls_of(first, second, run, "one") == 1u);
    BOOST_TEST(calls_of(first, second, run, "two") == 1u);
    second.check_row_equals_fold(run);
  }
  BOOST_TEST(first.status().times_fenced == 0u);
}

BOOST_AUTO_TEST_CASE(a_node_that_comes_back_under_another_id_drains_on) {
  shared_world world;
  auto& first = world.add();
  world.add();
  world.advance(5 * one_beat);
  const auto before = living_node(world, 0).id;
  BOOST_TEST(std::get<bool>(ask_to_drain(first, before).value()));
  world.advance(soon);
  model_leases(world.database).leave(before);
  world.advance(2 * one_beat);
  const auto after = living_node(world, 1);
  BOOST_TEST((after.id != before));
  BOOST_TEST(after.draining);
  BOOST_TEST(world.ready() == (counts{0, 64}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_an_operator_said_elsewhere_is_known_of_a_node_that_comes_back) {
  shared_world world;
  auto& first = world.add();
  world.add();
  world.advance(5 * one_beat);
  const auto before = living_node(world, 0).id;
  model_leases table(world.database);
  table.set_draining(before, true);
  world.advance(soon);
  table.leave(before);
  world.advance(2 * one_beat);
  BOOST_TEST(living_node(world, 1).draining);
  table.set_draining(living_node(world, 1).id, false);
  world.advance(5 * one_beat);
  BOOST_TEST(first.status().shards_ready == 32u);
}

BOOST_AUTO_TEST_CASE(what_an_operator_said_is_known_also_of_a_node_that_lost_its_lease_before_it_heard_of_it) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  const auto before = living_node(world, 0).id;
  model_leases(world.database).set_draining(before, true);
  stand_still(world, second);
  world.advance(10 * one_beat);
  BOOST_TEST((living_node(world, 1).id != before));
  BOOST_TEST(living_node(world, 1).draining);
  BOOST_TEST(first.status().shards_ready == 0u);
}

BOOST_AUTO_TEST_CASE(a_mark_that_comes_while_a_node_comes_back_is_no_less_known) {
  shared_world world;
  auto settings = actor_world::options{};
  settings.wrap_leases = [](std::unique_ptr<leases> real) { return std::make_unique<marking_leases>(std::move(real)); };
  auto& first = world.add(settings);
  auto& second = world.add();
  world.advance(5 * one_beat);
  const auto before = living_node(world, 0).id;
  stand_still(world, second);
  world.advance(10 * one_beat);
  BOOST_TEST((living_node(world, 1).id != before));
  BOOST_TEST(living_node(world, 1).draining);
  BOOST_TEST(first.status().shards_ready == 0u);
}

BOOST_AUTO_TEST_CASE(a_mark_outlives_a_coming_back_whose_answer_is_lost) {
  for (const std::string what : {"join", "view"}) {
    shared_world world;
    const auto loses = std::make_shared<std::set<std::string>>();
    auto& first = world.add(losing(loses));
    auto& second = world.add();
    world.advance(5 * one_beat);
    const auto before = living_node(world, 0).id;
    model_leases(world.database).set_draining(before, true);
    stand_still(world, second);
    loses->insert(what);
    world.advance(10 * one_beat);
    BOOST_TEST((living_node(world, 1).id != before), what);
    BOOST_TEST(living_node(world, 1).draining, what);
    BOOST_TEST(first.status().shards_ready == 0u, what);
    // The node is there once, whatever it was told.
    BOOST_TEST(view_of(world).nodes.size() == 2u, what);
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_drained_no_more_when_it_lost_its_lease_comes_back_as_it_was) {
  shared_world world;
  auto& first = world.add();
  auto& second = world.add();
  world.advance(5 * one_beat);
  const auto before = living_node(world, 0).id;
  ask_to_drain(first, before);
  world.advance(2 * one_beat);
  model_leases(world.database).set_draining(before, false);
  stand_still(world, second);
  world.advance(10 * one_beat);
  BOOST_TEST((living_node(world, 1).id != before));
  BOOST_TEST(!living_node(world, 1).draining);
  BOOST_TEST(first.status().shards_ready == 32u);
}

BOOST_AUTO_TEST_CASE(a_node_that_nobody_knows_cannot_drain) {
  shared_world world;
  auto& node = world.add();
  BOOST_TEST(!std::get<bool>(ask_to_drain(node, uuid{}).value()));
}

BOOST_AUTO_TEST_CASE(who_asks_while_the_database_is_away_is_told_so) {
  shared_world world;
  const auto loses = std::make_shared<std::set<std::string>>(std::set<std::string>{"set_draining"});
  auto& node = world.add(losing(loses));
  const auto answer = ask_to_drain(node, living_node(world, 0).id).value();
  BOOST_TEST(std::get<std::string>(answer).find("set_draining was lost") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
