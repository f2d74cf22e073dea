#pragma once

#include <memory>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/node_environment.hpp"
#include "actors/workflow_cache.hpp"

namespace levain {

/// Folds a journal into a run's state, as recovery and `verify` do. Throws `broken_journal` when the events are not
/// those of a run of a registered workflow, and `journal_unavailable` when its definition cannot be read.
run_state fold_journal(const run_id& run, const std::vector<event_record>& events, workflow_cache& workflows);

/// Reads runs back, a page at a time, no faster than the dispatcher takes them.
struct recovery_state {
  static inline const char* name = "recovery";

  explicit recovery_state(recovery_actor::pointer self);

  void begin(std::unique_ptr<journal> store, std::shared_ptr<workflow_cache> workflows, recovery_options options);
  void recover(const shards_taken& x, const caf::strong_actor_ptr& from);
  void forget();
  void load(const load_run& x, const caf::strong_actor_ptr& from);
  void next_page();

private:
  /// Shards that are recovered together.
  struct portion {
    std::vector<shard_lease> shards;
    std::optional<run_id> after;
  };

  void portion_done();

  recovery_actor::pointer self_;
  std::unique_ptr<journal> store_;
  std::shared_ptr<workflow_cache> workflows_;
  recovery_options options_;
  /// Whoever told of the shards.
  dispatcher_actor dispatcher_;
  std::vector<portion> portions_;
  /// Whether a page or its acknowledgement is on its way.
  bool busy_ = false;
  size_t recovered_ = 0;
};

/// To be spawned detached: it waits for the database.
recovery_actor::behavior_type recovery(
  recovery_actor::stateful_pointer<recovery_state> self, std::unique_ptr<journal> store,
  std::shared_ptr<workflow_cache> workflows, recovery_options options);

} // namespace levain
