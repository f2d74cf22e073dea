#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "actors/append_backlog.hpp"
#include "actors/calls/call_executor.hpp"
#include "actors/cluster/worker_calls.hpp"
#include "actors/interfaces.hpp"
#include "actors/node_options.hpp"
#include "actors/run_machine/prepare_call.hpp"

namespace levain {

class call_budget;
class run_budget;
class wanting_calls;

/// What the actors of a node share and never change: where time and chance come from, who keeps the journal, who does
/// the calls. Made once by the node before the first run; the actors hold it by a pointer to const.
struct node_environment {
  /// The time now, for what is written down. It may be set, forwards and back. Virtual in simulations.
  std::function<timestamp()> now;
  /// The same as the node has it from its start: it only goes on, whatever is set. Deadlines, pauses and everything
  /// else that this process waits for are measured on it.
  std::function<timestamp()> steady;
  /// Fills ids; any thread.
  std::function<uuid_entropy()> entropy;
  /// Settings that definitions refer to as `${name}`.
  call_variables variables;
  run_options run;
  timekeeper_actor timekeeper;
  recovery_actor recovery;
  /// Is told of every run that ends; null where nobody wants to know.
  endings_actor endings;
  /// One or more writers; a run belongs to one by its shard.
  std::vector<persistence_actor> writers;
  /// Why the database takes nothing, in its own words on one line; empty while it does. Any thread; may be absent.
  std::function<std::string()> why_no_database;
  /// What others have locked that this run's events wait for, one line; empty when they wait for nothing of the kind.
  /// May be empty itself.
  std::function<std::string(const run_id&)> why_held_up;
  /// What the writers still have before them. Any thread; may be absent.
  std::function<append_pressure()> append_pressure_now;
  /// Does calls over HTTP; null where a node has none (then such a call fails for good and says so).
  std::shared_ptr<call_executor> http;
  /// Does calls of C++ functions; null where a node has none.
  std::shared_ptr<call_executor> functions;
  /// Has workers do calls; null where a node has no gate for them (then such a call waits
  /// for a node that has one).
  std::shared_ptr<worker_calls> workers;

  /// What the texts of this node's calls and of its live runs may take; null: they are not counted.
  std::shared_ptr<call_budget> call_memory;
  std::shared_ptr<run_budget> run_memory;

  /// Counts the calls that this node cannot make for want of something; may be null.
  std::shared_ptr<wanting_calls> wanting;

  const persistence_actor& writer_of(const run_id& run) const { return writers[shard_of(run) % writers.size()]; }
};

using environment_ptr = std::shared_ptr<const node_environment>;

} // namespace levain
