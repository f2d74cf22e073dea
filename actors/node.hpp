#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "actors/calls/call_budget.hpp"
#include "actors/calls/function_executor.hpp"
#include "actors/calls/http_calls.hpp"
#include "actors/cluster/cluster_options.hpp"
#include "actors/cluster/lease_messages.hpp"
#include "actors/cluster/worker_view.hpp"
#include "actors/database_outage.hpp"
#include "actors/ending_messages.hpp"
#include "actors/liveness_log.hpp"
#include "actors/messages.hpp"
#include "actors/node_options.hpp"
#include "actors/recent_values.hpp"
#include "actors/run_machine/prepare_call.hpp"

namespace levain {

/// Where a node keeps what it remembers. Each function makes a new object with a connection of its own.
struct node_ports {
  std::function<std::unique_ptr<journal>(const std::string& name)> make_journal;
  std::function<std::unique_ptr<definition_store>()> make_definitions;
  std::function<std::unique_ptr<leases>()> make_leases;
};

/// Everything in the PostgreSQL at `url`, whose schema is up to date. A node that freezes in the middle of a
/// transaction keeps what it has locked for one `lease` (see `lease_options`) at the most, so that nobody waits longer
/// for its shards than for its lease.
node_ports postgres_ports(const std::string& url, std::chrono::milliseconds lease = lease_options{}.lease_duration);

/// Settings of a node, with their defaults.
struct node_options {
  /// For people; at most 100 characters.
  std::string name = "levain";
  std::string address;
  /// Writers, each with a connection and a thread.
  size_t writers = 2;
  /// Threads that run actors; 0 means one per core.
  size_t threads = 0;
  /// Threads that run registered C++ functions.
  size_t function_threads = 2;
  /// No other node can be alive on this database: its shards are taken without waiting for a lease to run out.
  bool sole = false;
  /// How long `stop` waits for batches to reach the disk.
  std::chrono::milliseconds stop_grace{10'000};
  dispatcher_options dispatcher;
  persistence_options persistence;
  run_options run;
  lease_options lease;
  recovery_options recovery;
  endings_options endings;
  watchdog_options watchdog;
  /// Of the workflow definitions that are kept in memory because they were used lately, about.
  size_t definitions_cache_bytes_max = 64 * 1024 * 1024;
  http_executor_options http;
  /// Bytes of the calls that are ready or out: URLs, headers, bodies, and answers as they arrive. Further calls wait.
  size_t calls_bytes_max = calls_bytes_default;
  call_variables variables;
  /// How it speaks to other nodes and to workers; not at all by default.
  cluster_options cluster;
};

/// What a node says of its health.
struct node_status {
  dispatcher_status runs;
  /// Absent while the database takes what every writer has for it and answers the node's heartbeats. When only the
  /// heartbeats fail, no writer does: it has nothing to write.
  std::optional<outage_report> database_outage;
  uint64_t batches = 0;
  uint64_t appends = 0;
  uint64_t events = 0;
  size_t appends_waiting = 0;
  /// See `persistence_status`.
  recent_values::figures batch_runs;
  recent_values::figures batch_events;
  recent_values::figures commit_micros;
  /// The limits that the figures are to be seen against.
  size_t batch_runs_max = 0;
  size_t runs_running_max = 0;
  size_t runs_waiting_max = 0;
  /// What live runs hold in memory, in bytes, and the most that they held since the node began.
  uint64_t runs_bytes = 0;
  uint64_t runs_bytes_peak = 0;
  uint64_t runs_bytes_max = 0;
  /// What calls hold.
  call_budget::figures calls_memory;
  /// What the watchdog has found.
  liveness_figures liveness;
  /// All zero at a node without a gate.
  worker_figures workers;
  /// How many calls wait for something that the node lacks, by its name.
  std::map<std::string, size_t> calls_wanting;
  /// An operator wants it to hold no shards.
  bool draining = false;
  /// What it lacks that unfinished runs need, in words; empty when it lacks nothing. It holds no shards then either, as
  /// long as others can.
  std::string lacks;
};

/// One daemon's engine: the actor system with everything in it. All members are safe from any thread; receivers are
/// called on the actors' threads and may not block.
class node {
public:
  /// Starts the actors and joins the database's nodes; runs left by a predecessor are recovered in the background.
  node(node_options options, node_ports ports);
  /// Stops as `stop` does.
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Registers a C++ function for `{"function": {"name": ...}}` calls. Before the first run that needs it.
  void add_function(std::string name, step_function function);

  void start(start_request request, receiver<start_outcome> outcome);
  /// Starts all of them on this node, or none; then `refused` is told why, and nobody else is told anything.
  void start_all(std::vector<start_run> starts, receiver<start_refused> refused);
  void change(run_id run, tenant_id tenant, wish asked, receiver<wish_outcome> outcome);
  void explain(run_id run, tenant_id tenant, receiver<explain_outcome> outcome);

  void put_workflow(workflow_ptr workflow, receiver<register_outcome> outcome);
  void
  find(std::string name, std::optional<int32_t> version, receiver<std::variant<workflow_ptr, std::string>> outcome);
  void list(receiver<std::variant<std::vector<definition_record>, std::string>> outcome);

  void status(receiver<node_status> outcome);

  /// The workers that are connected with this node; none at a node without a gate.
  std::vector<worker_view> workers() const;

  /// Tells `listener` of every run that ends from now on, on an actor's thread, one after the other, once the run's
  /// last event is durable; in the place of who was told before. It may be called as long as the node is there.
  void on_ended(std::function<void(const run_ending&)> listener);
  /// Which runs ended after a cursor.
  void ask_endings(endings_asked asked);

  /// Lets the other nodes and those who ask them know where this one is found, from its next heartbeat on.
  void announce(std::string address);

  /// Before the node ends: lets the others have its shards, in order, while it still answers. Told when none is left,
  /// or when nobody takes the rest.
  void hand_over(receiver<all_handed_over> outcome);

  /// Lets any node of the database hold no shards as long as others can, or hold some again. Answers whether the node
  /// is known, or why the database could not be asked.
  void set_draining(uuid node, bool draining, receiver<std::variant<bool, std::string>> outcome);

  /// What `${name}` in definitions stands for.
  const call_variables& variables() const;

  /// Admits nothing more, lets batches finish, leaves the rest to recovery. Idempotent.
  void stop();

  /// Called when a core actor has died: the process is of no use any more and should end, so that recovery can begin.
  void on_fatal(std::function<void(std::string)> tell);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
