#pragma once

#include "actors/calls/call_in_flight.hpp"
#include "actors/interfaces.hpp"
#include "actors/node_environment.hpp"

namespace levain {

struct step_actor_state {
  static inline const char* name = "step";

  explicit step_actor_state(step_actor::pointer self);
  /// Whatever ended it, its run is answered.
  ~step_actor_state();

  void begin(
    run_actor run, step_index step, call_request request, environment_ptr environment,
    std::optional<call_budget::ticket> in_line);
  void has_room(call_ready& x);
  void finish(std::variant<std::string, call_failure> result);
  void abandon(const abandon_attempt& x);
  void withdraw(const withdraw_attempt& x);
  void moved(const call_moved& x);
  void woken();

private:
  /// Answers the run when the call cannot even be begun.
  void make_call();
  void choose_executor();
  void wait_for_room(call_budget::ticket in_line);
  void begin_with(const std::shared_ptr<call_executor>& executor, const char* absent);
  call_failure out_of_time() const;
  call_failure out_of_queue_time() const;
  void wake_by(timestamp due);
  void begin_waiting();
  void begin_simulated(const simulate_call& call);

  step_actor::pointer self_;
  run_actor run_;
  step_index step_ = 0;
  call_request request_;
  environment_ptr environment_;
  /// What the executor holds; letting go of it gives the call up.
  call_in_flight in_flight_;
  /// When the attempt is over that is in flight, by the clock that is never set, like the times below; absent while it
  /// waits, and where the executor keeps the time.
  std::optional<timestamp> deadline_;
  /// When the wait is over; absent where there is no limit.
  std::optional<timestamp> queue_deadline_;
  /// A simulated call's result, which is known from the start, and when it is to be told.
  std::optional<std::variant<std::string, call_failure>> simulated_;
  timestamp simulated_at_{};
  bool answered_ = false;
  /// The call waits for room in memory: its request has no texts yet.
  bool awaits_room_ = false;
  /// Since when, by the clock that is never set.
  timestamp began_at_{};
  /// It was to be taken back when it had room already.
  bool asked_back_ = false;
};

/// One attempt: begins the call at once, or once it has the room in memory that it stands in line for, and answers
/// `run` exactly once.
step_actor::behavior_type step(
  step_actor::stateful_pointer<step_actor_state> self, run_actor run, step_index index, call_request request,
  environment_ptr environment, std::optional<call_budget::ticket> in_line);

} // namespace levain
