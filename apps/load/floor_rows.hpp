#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "actors/run_machine/state.hpp"
#include "persistence/bare_writing.hpp"
#include "persistence/ids.hpp"

namespace levain::load {

/// The steps of a run of the floor, and the commits that it needs one after another: that it was accepted and began,
/// then the outcome of each step.
inline constexpr size_t floor_steps = 5;
inline constexpr size_t floor_commits = floor_steps + 1;

/// The workflow of these runs: five strict steps in a row.
workflow_ptr floor_workflow();

/// One group of runs that go side by side: what each of their commits writes, in order.
using floor_group = std::vector<bare_batch>;

/// Makes the rows that a run of five strict steps leaves behind, with the run machine and the encoder of the engine.
/// One thread.
class floor_rows {
public:
  struct origin {
    tenant_id tenant;
    /// The shards in which runs are made; at least one.
    std::vector<shard_number> shards;
    std::array<epoch_number, shard_count> epochs{};
    uint64_t seed = 0;
    bare_method method = bare_method::copy;
  };

  floor_rows(workflow_ptr workflow, origin from);

  /// The rows of `runs` runs that begin now, numbered from `first_number` on. 1 to 100,000 runs.
  floor_group make(size_t runs, int64_t first_number);

private:
  void add_run(std::array<std::vector<run_append>, floor_commits>& commits, int64_t number);

  workflow_ptr workflow_;
  origin from_;
  std::mt19937_64 random_;
};

} // namespace levain::load
