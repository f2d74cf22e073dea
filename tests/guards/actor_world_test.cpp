// What a run costs in actors: the messages they handle and the memory they ask for, in the world of the actor tests,
// where one thing happens after another, always the same.
#include <boost/test/unit_test.hpp>

#include <memory>
#include <spdlog/spdlog.h>
#include <vector>

#include "tests/guards/allocation_count.hpp"
#include "tests/guards/recorded_figures.hpp"
#include "tests/support/actor_world.hpp"
#include "tests/support/workflow_shapes.hpp"

using namespace levain;
using namespace levain::test;

namespace {

/// Enough to share batches, and for what is done now and then to count for as much as it does in a long life.
constexpr int runs = 500;

struct world_cost {
  double messages_per_run = 0;
  double allocations_per_run = 0;
  double commits_per_thousand_runs = 0;
};

/// Takes runs of this workflow from their starts to their ends, all at once.
world_cost cost_of(const workflow_ptr& workflow) {
  spdlog::set_level(spdlog::level::warn);
  actor_world world;
  world_cost cost;
  size_t commits = 0;
  world.manners->on_append = [&](const auto&) {
    ++commits;
    return model_fault::none;
  };
  // The first one alone: what is done once in a node's life is not the runs'.
  for (const int count : {1, runs}) {
    std::vector<std::shared_ptr<actor_world::started>> all;
    all.reserve(static_cast<size_t>(count));
    commits = 0;
    const auto messages = world.messages_handled();
    const auto allocations = allocations_of_this_thread();
    for (int i = 0; i < count; ++i)
      all.push_back(world.start(workflow));
    world.settle();
    cost.allocations_per_run = static_cast<double>(allocations_of_this_thread() - allocations) / count;
    cost.messages_per_run = static_cast<double>(world.messages_handled() - messages) / count;
    cost.commits_per_thousand_runs = 1000.0 * static_cast<double>(commits) / count;
    for (const auto& each : all)
      BOOST_TEST_REQUIRE((world.row(each->run().run).status == run_status::completed));
  }
  return cost;
}

} // namespace

BOOST_AUTO_TEST_SUITE(actor_world_test)

BOOST_AUTO_TEST_CASE(a_strict_run_costs_no_more_than_recorded) {
  const auto cost = cost_of(chain(5));
  check_figure("messages_per_strict_run", cost.messages_per_run);
  check_figure("commits_per_thousand_runs", cost.commits_per_thousand_runs);
  check_figure("allocations_per_strict_run_in_actors", cost.allocations_per_run);
}

BOOST_AUTO_TEST_CASE(a_run_without_effects_costs_no_more_than_recorded) {
  const auto cost = cost_of(chain(5, call_effect::none));
  check_figure("messages_per_run_without_effects", cost.messages_per_run);
  check_figure("allocations_per_run_without_effects_in_actors", cost.allocations_per_run);
}

BOOST_AUTO_TEST_SUITE_END()
