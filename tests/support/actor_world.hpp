#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "actors/calls/call_budget.hpp"
#include "actors/dispatcher.hpp"
#include "actors/interfaces.hpp"
#include "actors/lease_keeper.hpp"
#include "actors/node_environment.hpp"
#include "actors/persistence.hpp"
#include "actors/run_budget.hpp"
#include "actors/watchdog.hpp"
#include "actors/workflow_cache.hpp"
#include "persistence/model_database.hpp"
#include "persistence/model_journal.hpp"

namespace levain::test {

/// Calls that wait until the test answers them.
class scripted_calls : public call_executor {
public:
  struct waiting_call {
    call_request request;
    call_done done;
    bool given_up = false;
    /// It was, because its run goes on at another node.
    bool run_moves = false;
    /// Why it was to be taken back, if it was.
    std::optional<withdraw_reason> asked_back = {};
  };

  call_in_flight begin(call_request request, call_done done) override;

  /// The calls that were made, in order, answered or not; those that are over hold no memory of their node.
  const std::vector<waiting_call>& calls() const { return calls_; }
  /// How often this key was called.
  size_t count(const std::string& key) const;
  /// Answers every call of `step` that waits; fails the test when there is none.
  void answer(const std::string& step, call_result result, bool undo = false);
  bool waits(const std::string& step, bool undo = false) const;

  /// Makes the next calls end in an exception: one that says why, or a thing that nobody catches.
  enum class throws { nothing, exception, anything };
  throws throw_on_begin = throws::nothing;
  /// Calls can be taken back, as if they still waited for their turn.
  bool takes_back = false;

private:
  std::vector<waiting_call> calls_;
};

/// All actors of a node on CAF's test scheduler: nothing moves and no time passes unless the test says so.
class actor_world {
public:
  struct options {
    dispatcher_options dispatcher;
    persistence_options persistence;
    run_options run;
    lease_options lease;
    recovery_options recovery;
    watchdog_options watchdog;
    /// What `${name}` stands for at first.
    call_variables variables;
    uint64_t calls_bytes_max = calls_bytes_default;
    /// Alone on its database; otherwise it shares.
    bool sole = true;
    /// Another one for each of several worlds on one database, or they mint the same ids.
    uint64_t seed = 1;
    /// Puts something between the lease keeper and the database.
    std::function<std::unique_ptr<leases>(std::unique_ptr<leases>)> wrap_leases;
    /// Makes what has workers do calls; without it a node has no gate for them.
    std::function<std::shared_ptr<worker_calls>(std::function<timestamp()> now)> make_workers;
    /// Has the last word on what the lease keeper begins with.
    std::function<void(lease_beginning&)> change_leases;
    /// What recovery reads from instead of a model's journal as it is.
    std::function<std::unique_ptr<journal>(std::shared_ptr<model_database>, std::shared_ptr<model_manners>)>
      make_recovery_journal;
  };

  /// An empty database, and a node that has taken all shards.
  actor_world()
    : actor_world(options{}) {}
  explicit actor_world(options settings, std::shared_ptr<model_database> database = nullptr);
  /// A watchdog looks on: the test fails when it found something and `expects_violations` does not say so.
  ~actor_world();

  /// Lets messages be handled until none is left; no time passes.
  void settle();
  /// Lets time pass, and what becomes due in it happen.
  void advance(duration span);
  /// The wall clock, which a test may set by `clock_is_off`.
  timestamp now() const { return steady() + clock_is_off; }
  /// The clock that nobody sets.
  timestamp steady() const;
  duration clock_is_off{};
  /// How many messages the actors have handled so far.
  uint64_t messages_handled() const { return messages_handled_; }

  /// Starts a run; `settle` brings the outcome.
  struct started {
    std::optional<start_outcome> outcome;
    /// Fails the test unless it was acknowledged.
    start_acknowledged run() const;
    /// Fails the test unless it was refused.
    start_refused refusal() const;
  };
  std::shared_ptr<started> start(
    workflow_ptr workflow, const std::function<void(start_request&)>& change = [](start_request&) {});
  std::shared_ptr<std::optional<wish_outcome>> ask(const run_id& run, wish asked);
  explanation explain_run(const run_id& run);
  dispatcher_status status();

  /// Kills every actor of the node as a crash does: nothing more is written, nobody is told.
  void crash();
  /// A new node on the same database.
  void boot();

  audit_row row(const run_id& run) const;
  std::vector<event_kind> story(const run_id& run) const;
  /// Folds the journal and compares it with the row.
  void check_row_equals_fold(const run_id& run);

  static inline const tenant_id tenant{*uuid::parse("11111111-1111-4111-8111-111111111111")};

  std::shared_ptr<model_database> database;
  std::shared_ptr<model_manners> manners = std::make_shared<model_manners>();
  std::shared_ptr<scripted_calls> calls = std::make_shared<scripted_calls>();
  std::shared_ptr<workflow_cache> workflows;
  std::shared_ptr<dispatcher_figures> run_figures = std::make_shared<dispatcher_figures>();
  std::shared_ptr<persistence_status> writer_status = std::make_shared<persistence_status>();
  std::shared_ptr<liveness_log> liveness = std::make_shared<liveness_log>();
  bool expects_violations = false;
  /// Nodes that boot from now on have these.
  call_variables variables;
  std::shared_ptr<wanting_calls> wanting;
  /// Of the node that booted last.
  std::shared_ptr<call_budget> call_memory;
  std::shared_ptr<run_budget> run_memory;
  /// What the dispatcher is told of the writers instead of the truth.
  std::optional<append_pressure> pressure;
  /// Nodes that boot from now on own nothing.
  bool leaves_shards_alone = false;
  dispatcher_actor dispatch;
  lease_keeper_actor lease_keeper_handle;

  /// Kills the timekeeper, with every wake-up that it was to give, and puts a new one in its place.
  void lose_timers();
  /// Kills the writer, with everything that waits in it, and puts a new one in its place.
  void lose_appends();
  /// Puts a run into the database as a node does that dies right after it: nobody here knows of it.
  run_id plant(const workflow_ptr& workflow);

  /// For actors beside the node's own.
  caf::actor_system& system() { return system_; }
  environment_ptr environment() const { return environment_; }

private:
  void spawn_writer();

  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  options settings_;
  config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  std::shared_ptr<node_environment> environment_;
  watchdog_actor watchdog_;
  uint64_t entropy_;
  uint64_t messages_handled_ = 0;
};

} // namespace levain::test
