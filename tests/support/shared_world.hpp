#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "actors/workflow/parse_definition.hpp"
#include "tests/support/actor_world.hpp"

namespace levain::test {

/// Between two heartbeats of the nodes.
inline constexpr duration one_beat = std::chrono::milliseconds(1'500);

/// With its text, so that other nodes read it from the database.
inline workflow_ptr two_steps() {
  static const auto parsed = parse_definition(R"({"workflow": "two_steps", "version": 1, "steps": [
    {"name": "one", "call": {"function": {"name": "scripted"}}, "timeout": "1h"},
    {"name": "two", "call": {"function": {"name": "scripted"}}, "timeout": "1h", "needs": ["one"]}]})");
  return parsed.workflow;
}

/// Nodes that share a database. Time passes for all of them alike.
class shared_world {
public:
  /// Time passes in steps of this size.
  static constexpr duration step = std::chrono::milliseconds(10);
  using settings = actor_world::options;

  actor_world& add(settings how = {}) {
    how.sole = false;
    how.seed = nodes_.size() + 1;
    passed_ += step; // So that one is older than the other.
    nodes_.push_back(std::make_unique<actor_world>(how, database));
    return *nodes_.back();
  }

  void advance(duration span) {
    for (; span > duration(0); span -= step) {
      passed_ += step;
      for (auto& each : nodes_)
        each->advance(step);
    }
  }

  /// The database's clock goes on, and nobody does anything.
  void pass_unseen(duration span) { passed_ += span; }

  /// How many shards each node has ready.
  std::vector<size_t> ready() {
    std::vector<size_t> counts;
    for (auto& each : nodes_)
      counts.push_back(each->dispatch ? each->status().shards_ready : 0);
    return counts;
  }

  std::vector<epoch_number> epochs() const {
    std::vector<epoch_number> all;
    for (size_t i = 0; i < shard_count; ++i)
      all.push_back(database->epoch(static_cast<shard_number>(i)));
    return all;
  }

  std::shared_ptr<model_database> database = std::make_shared<model_database>([this] { return timestamp{} + passed_; });

private:
  duration passed_{0};
  std::vector<std::unique_ptr<actor_world>> nodes_;
};

inline std::vector<run_id> start_many(actor_world& node, size_t count) {
  std::vector<std::shared_ptr<actor_world::started>> starts;
  for (size_t i = 0; i < count; ++i)
    starts.push_back(node.start(two_steps()));
  node.settle();
  std::vector<run_id> runs;
  for (const auto& each : starts)
    runs.push_back(each->run().run);
  return runs;
}

inline size_t terminal_events(const model_database& database, const run_id& run) {
  const auto events = database.events(run);
  return static_cast<size_t>(std::count_if(
    events.begin(), events.end(), [](const auto& each) { return each.kind == event_kind::run_completed; }));
}

} // namespace levain::test
