#pragma once

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "tests/simulation/ground.hpp"

namespace levain::simulation {

class simulated_process;

/// Messages that could be handled next: whose, and at which place in its scheduler's queue.
using runnable_jobs = std::vector<std::pair<simulated_process*, size_t>>;

/// One life of a program with actors in it, on a scheduler and a clock of its own. A message is handled and a timer
/// runs out only when the world says so.
class simulated_process {
public:
  virtual ~simulated_process() = default;
  simulated_process(const simulated_process&) = delete;
  simulated_process& operator=(const simulated_process&) = delete;

  const life_ptr& state() const { return state_; }

  /// The messages that could be handled next, but those of actors that the plan holds.
  void add_runnable(runnable_jobs& into);
  /// Handles one message of the actor at this place.
  void run(size_t job);
  /// Which actor is at this place.
  caf::actor_id actor_at(size_t job) const;

  /// When the next timer runs out, in true time.
  std::optional<timestamp> next_timer() const;
  /// Timers that ran out by now become messages.
  void follow_time();

protected:
  simulated_process(ground& under, place who);

  /// Whether the plan keeps this actor waiting.
  virtual bool is_held(caf::actor_id) const { return false; }
  /// What the actor that is listened to is about to handle.
  virtual void hears(const caf::mailbox_element&) {}
  /// A message was handled.
  virtual void has_run() {}
  void listen_to(caf::actor_id who) { listened_to_ = who; }
  /// Handles all that is left, whoever is held.
  void run_out();

  struct config : caf::actor_system_config {
    config();
  };

  ground& under_;
  life_ptr state_;
  config config_;
  caf::actor_system system_;

private:
  void run_listening(caf::scheduled_actor& actor);

  caf::scheduler::test_coordinator& scheduler_;
  timestamp followed_;
  caf::actor_id listened_to_ = 0;
  /// Messages in its mailbox that were told of already.
  std::set<const caf::mailbox_element*> heard_;
};

} // namespace levain::simulation
