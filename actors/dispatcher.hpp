#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "actors/admission_queue.hpp"
#include "actors/dispatcher_figures.hpp"
#include "actors/interfaces.hpp"
#include "actors/node_environment.hpp"
#include "actors/run_budget.hpp"
#include "actors/start_shares.hpp"

namespace levain {

/// What a dispatcher needs to begin.
struct dispatcher_beginning {
  environment_ptr environment;
  dispatcher_options options;
  /// Gives numbers for new runs.
  lease_keeper_actor lease_keeper;
  /// Kept up to date for the rest of the node; may be absent.
  std::shared_ptr<dispatcher_figures> figures = {};
};

struct run_beginning;

/// Keeps who is here and who is next; the rules of turns are in `admission_queue`.
struct dispatcher_state {
  static inline const char* name = "dispatcher";

  explicit dispatcher_state(dispatcher_actor::pointer self);
  /// Runs do not outlive their dispatcher.
  ~dispatcher_state();

  void begin(dispatcher_beginning how);
  void start(start_run& x);
  void start_all(start_runs& x);
  void change(change_run& x);
  void explain_one(explain_run& x);
  void left(const run_left& x, const caf::strong_actor_ptr& from);
  void adopt(adopt_runs& x);
  void taken(const shards_taken& x);
  void recovered(const shards_recovered& x);
  void lost();
  void hand_over(const hand_over_shards& x);
  void numbers(const numbers_reserved& x);
  void loaded(run_loaded& x);
  void run_died(const caf::down_msg& down);
  void revive_again();
  void look_at_live_runs(const look_at_live& x);
  void look_at_open_rows(look_at_rows& x);
  void rows_listed(open_rows_listed& x);
  void look_at_stopped_runs(size_t limit);
  void heal(const heal_run& x);
  void settled(const run_settled& x);
  dispatcher_status status() const;
  void stop_admitting();

private:
  struct live_run {
    run_actor actor;
    tenant_id tenant;
    /// Under which its shard was owned when it came.
    epoch_number epoch = 0;
    /// Whether it takes a slot.
    bool running = false;
  };
  /// Who waits for a run to be read back.
  struct pending_load {
    std::vector<change_run> changes;
    std::vector<explain_run> explanations;
    /// The run's actor died: it is to act again, whoever asks.
    bool revive = false;
    /// Under which its shard was owned when the journal was asked; nothing when it was not.
    std::optional<epoch_number> epoch;
    /// The journal is asked once nothing of the run is on its way there any more; what was read before is old.
    bool settling = false;
  };
  /// A shard that another node is to have.
  struct leaving_shard {
    epoch_number epoch = 0;
    /// Runs that are still here.
    size_t runs = 0;
  };

  std::unique_ptr<admission_queue> empty_queue() const;
  std::optional<start_refused> why_not_now(const tenant_id& tenant);
  /// Whether the database is too far behind for another run of this tenant.
  std::optional<start_refused> why_database_is_behind(const tenant_id& tenant);
  /// Whether the live runs leave no room in memory for all of these.
  std::optional<start_refused> why_memory_is_full(std::span<const start_run> starts) const;
  run_bytes memory_for(const workflow_definition& workflow, const run_plan& plan) const;
  receiver<start_outcome> counted(receiver<start_outcome> tell);
  run_plan plan_of(start_request& request);
  std::string next_run_number(timestamp at);
  void fetch_numbers();
  void spawn_run(const tenant_id& tenant, bool running, run_beginning how);
  void adopt_one(recovered_run& found);
  /// Answers who has a slot now.
  std::vector<run_id> begin_waiting();
  /// Takes the run out of the runs that are here.
  void forget(const run_id& run);
  /// Reads the run back once nothing of it is on its way to the journal, and lets it act again.
  void revive(const run_id& run);
  bool is_ready(const run_id& run) const;
  /// Nobody acts for the run from now on, for this reason.
  void stop_run(const run_id& run, stop_kind kind, const std::string& reason);
  /// Somebody acts for these runs from now on, whatever was written down.
  void take_up(const std::vector<run_id>& runs);
  void answer_without_state(const run_loaded& x, pending_load& load);
  /// Of a run that no actor has. Its tenant is the caller's to check.
  explanation explain_absent(const run_loaded& x) const;
  static std::string why_without_journal(const row_outline& row);
  void read_back(const run_id& run, const std::function<void(pending_load&)>& add);
  bool owns(const run_id& run) const;
  std::optional<epoch_number> epoch_of(const run_id& run) const;
  void run_has_gone(const run_id& run);
  void vacate_empty();
  std::optional<start_refused> why_not_all(const start_runs& x);
  /// Starts what nothing speaks against, as soon as there is a number for it.
  void take(start_run& x);
  /// Keeps a start for which there is no number at the moment. False when it is to be taken or refused now.
  bool awaits_number(start_run& x);
  /// Starts, or refuses, what waited for numbers.
  void start_numberless();
  void show_figures() const;

  dispatcher_actor::pointer self_;
  environment_ptr environment_;
  dispatcher_options options_;
  lease_keeper_actor lease_keeper_;
  std::shared_ptr<dispatcher_figures> figures_;
  std::unique_ptr<admission_queue> queue_;
  bool admitting_ = true;
  std::unordered_map<run_id, live_run> live_;
  std::unordered_map<caf::actor_addr, run_id> by_address_;
  std::unordered_map<run_id, pending_load> loads_;
  /// Runs whose actors died and whose journals could not be read when they were asked for.
  std::vector<run_id> to_revive_;
  /// Runs of this node that nobody acts for; as they stand in `stopped_runs`, or are about to.
  std::map<run_id, run_stop> stopped_;
  /// The last one that was read back in case it was repaired.
  run_id stopped_looked_at_;
  /// Owned shards whose runs are all here, in turn for new runs.
  std::vector<shard_lease> ready_;
  /// The shards that are this node's to act in.
  std::unordered_map<int, epoch_number> epochs_;
  std::map<shard_number, leaving_shard> leaving_;
  size_t runs_recovered_ = 0;
  size_t times_fenced_ = 0;
  std::optional<timestamp> fenced_at_;
  size_t next_shard_ = 0;
  start_shares shares_;
  /// Starts that are not settled yet; runs count it down on their threads.
  std::shared_ptr<std::atomic<size_t>> unsettled_;
  /// Run numbers that nobody else gets.
  struct number_block {
    int64_t next = 0;
    int64_t end = 0;
  };
  /// None is empty.
  std::deque<number_block> numbers_;
  /// How many came the last time.
  int64_t numbers_came_ = 0;
  bool numbers_asked_ = false;
  struct numberless_start {
    start_run start;
    /// It was taken together with others, whose room it had.
    bool is_promised = false;
  };
  /// Starts that wait for the numbers that are asked for.
  std::vector<numberless_start> numberless_;
};

dispatcher_actor::behavior_type
dispatcher(dispatcher_actor::stateful_pointer<dispatcher_state> self, dispatcher_beginning how);

} // namespace levain
