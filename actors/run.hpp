#pragma once

#include <memory>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/node_environment.hpp"
#include "actors/random_draw.hpp"
#include "actors/run_budget.hpp"

namespace levain {

/// What a run's actor begins with: a plan for a new run, or the state that recovery has folded.
struct run_beginning {
  environment_ptr environment;
  dispatcher_actor dispatcher;
  epoch_number epoch = 0;

  /// A new run.
  run_plan plan;
  workflow_ptr workflow;
  /// It has its slot already.
  bool admitted = false;
  std::optional<start_key> key;
  receiver<start_outcome> outcome;
  /// What it holds of the node's memory for runs from now on.
  run_bytes memory;

  /// A recovered run; null for a new one.
  std::shared_ptr<run_state> recovered;
  /// It has ended, and only its row is to be brought up to date.
  bool mend_row = false;
  /// Its row shows all of its events.
  bool row_is_current = false;
};

/// The hands of the machine: it decides, this makes the decision durable and then performs it.
struct run_actor_state {
  static inline const char* name = "run";

  explicit run_actor_state(run_actor::pointer self);
  /// Steps do not outlive their run.
  ~run_actor_state();

  void begin(run_beginning how);
  /// Feeds the machine and appends what follows. Answers the machine's refusal, if it refused.
  std::optional<std::string> feed(run_input input);
  void take_slot();
  void take_wish(wish_asked& x);
  void explain_yourself(const explanation_asked& x);
  void say_what_moves_it(const liveness_asked& x);
  void settled(const append_answered& x);
  void reloaded(const run_loaded& x);
  void attempt_is_over(attempt_ended& x);
  void attempt_has_moved(const attempt_moved& x);
  void take_memory(memory_granted& x);
  void woken();
  void hand_over(const hand_over_run& x);
  void leave();

private:
  /// What waits until the journal holds everything up to a number.
  struct held_effect {
    int32_t seq = 0;
    run_effect effect;
  };
  /// What a command is answered, accepted or rejected, once the journal holds everything the answer rests on.
  struct held_wish {
    int32_t seq = 0;
    receiver<wish_outcome> outcome;
    wish_outcome answer;
  };
  /// An input whose events are not durable yet: kept in case the journal refuses one before it.
  struct unsettled_input {
    int32_t seq = 0;
    std::vector<event> events;
    run_input input;
  };
  struct unused_answer {
    /// Of the state that had no use for it.
    int32_t seq = 0;
    call_answered answer;
  };
  /// An attempt that is out, and the actor that makes it.
  struct attempt_out {
    begin_call call;
    step_actor actor;
    /// By `steady`, like the deadline.
    timestamp began_at{};
    /// It may have begun before this actor made it.
    bool made_before = false;
    /// For a worker, a thread, or its turn among the node's calls.
    bool waits = false;
    /// Since when it waits, or its work may have begun; by `steady`.
    timestamp moved_at{};
    /// How long it has waited before.
    duration queued{0};
    /// The worker that has it, if one does.
    std::string worker;
    /// Since when its work may have begun, where the call had to wait for that.
    std::optional<timestamp> in_flight_since;
    /// The run was taken up with it out.
    bool taken_up = false;
    /// What the call holds; null while it waits for room in the node's memory for calls.
    call_bytes_ptr memory = {};
    /// It waits for that.
    bool awaits_room = false;
  };
  /// A call that is out by the journal and that this node cannot make.
  struct wanting_call {
    begin_call call;
    /// What the node lacks: `variable shop_url`, `gate for workers`.
    std::string what;
    /// It may have begun before this actor held it.
    bool made_before = false;
  };
  /// Something that the state waits for.
  struct timed_wait {
    /// As the state has it.
    timestamp due{};
    /// By `steady`.
    timestamp until{};
  };

  /// What is wrong, and a line on it.
  using liveness_fault = std::pair<liveness_kind, std::string>;
  std::optional<liveness_fault> find_fault(const liveness_asked& x) const;
  std::optional<liveness_fault> find_call_fault(bool unsettled, duration overdue_grace) const;
  std::optional<liveness_fault> find_timer_fault(duration overdue_grace) const;

  wait_reason explain_database() const;

  void begin_new(run_beginning& how);
  /// `may_wait`: nothing waits for these facts to be durable.
  void remember(const std::vector<event>& facts, bool may_wait);
  /// Appends these facts behind what is held back; the first ones of a run with the key of its start.
  void append(const std::vector<event>& facts, std::optional<start_key> key = {});
  void append_held_back();
  bool may_go_before_commit(const run_effect& effect) const;
  void perform(const run_effect& effect);
  void perform_what_may_go();
  /// Nobody has answered it yet: an answer to an earlier call of the same attempt can come before the effect may.
  bool is_out(const begin_call& call) const;
  /// The run has stopped or is paused since the decision that the call begins: it never does.
  bool is_withdrawn_by_now(const begin_call& call) const;
  void begin_attempt(const begin_call& call, bool made_before = false);
  std::variant<call_request, call_failure> make_request(const begin_call& call, bool made_before) const;
  /// The bytes for the call, which become the request's as well; or its place in line, and then the request has no
  /// texts any more. `held` is what the call holds already; may be null.
  std::variant<call_bytes_ptr, call_budget::ticket>
  find_room(const begin_call& call, call_request& request, call_bytes_ptr held);
  /// Bytes of the run's texts, those on their way to the database included.
  uint64_t bytes_held() const;
  void count_memory();
  void abandon_attempt_of(step_index step);
  void withdraw_attempt_of(const withdraw_call& call);
  void begin_grace();
  /// What this node lacks to make the call; nothing when it can.
  std::optional<std::string> find_wanting(const begin_call& call) const;
  void hold_for_want(const begin_call& call, std::string what, bool made_before);
  /// Forward calls that were never made are not awaited when the run stops.
  void withdraw_wanting();
  void forget_wanting(const begin_call& call);
  std::string explain_wanting(const wanting_call& x) const;
  void became_durable(int32_t seq);
  void tell_ending();
  void start_settled(const append_outcome& outcome);
  void rejected(int32_t seq, const std::string& reason);
  void read_back();
  void give_up(stop_kind kind, const std::string& reason);
  void arm_timer();
  void project_if_due();
  duration projection_interval() const;
  void project();
  void answer_when_durable(receiver<wish_outcome> outcome, wish_outcome answer);
  void refuse_held_wishes(const std::string& why);
  void leave_if_settled();
  append_events new_append();
  void send_append(append_events x);
  void end(run_left::reason_type reason, std::optional<run_stop> stop = {});
  timestamp now() const { return environment_->now(); }
  timestamp steady() const { return environment_->steady(); }
  /// Turns what the state waits for into times of the clock that is never set.
  void keep_waits();
  std::vector<timestamp> waits_that_came() const;
  /// When the next wait is over; by `steady`. None while the run is paused.
  std::optional<timestamp> next_wait() const;

  run_actor::pointer self_;
  environment_ptr environment_;
  dispatcher_actor dispatcher_;
  epoch_number epoch_ = 0;
  run_state run_;

  /// The highest number the journal is known to hold.
  int32_t durable_seq_ = 0;
  /// The highest number of an event that must be durable before anything is called: all but the outcomes of steps with
  /// `call_effect::none`.
  int32_t strict_seq_ = 0;
  std::vector<held_effect> held_effects_;
  std::vector<held_wish> held_wishes_;
  /// Calls that were held when the journal refused something: nobody was given them.
  std::vector<begin_call> never_begun_;
  std::vector<unsettled_input> unsettled_;
  /// Of attempts that the state has no use for, and why it has none is not durable.
  std::vector<unused_answer> unused_answers_;
  /// Room for calls of a run that was terminated, and that is not durable.
  std::vector<memory_granted> parked_memory_;
  /// What it holds of the node's memory for runs: what it was expected to come to, or more.
  run_bytes memory_;
  uint64_t bytes_expected_ = 0;
  uint64_t bytes_most_ = 0;
  /// Outcomes of steps with `call_effect::none` that go with the next append; none when no append is out.
  std::vector<event_record> held_back_;
  /// Every input's events go in an append of their own: some were refused in company, and nobody knows which.
  bool one_by_one_ = false;
  /// By `steady`.
  std::optional<timestamp> unsettled_since_;

  std::vector<attempt_out> attempts_;
  std::vector<wanting_call> wanting_;

  /// The dispatcher has let it begin.
  bool has_slot_ = false;
  receiver<start_outcome> start_outcome_;

  /// The row as it was last sent is as new as this event.
  int32_t projected_seq_ = 0;
  timestamp projected_at_{};
  std::optional<timestamp> armed_;
  /// Until when the answers of a cancelled run's calls are awaited, by `steady`; once it is cancelled and has calls
  /// out.
  std::optional<timestamp> grace_until_;
  std::vector<timed_wait> waits_;
  /// The calls that are begun now were out when the run was taken up.
  bool taking_up_ = false;

  /// While the run is read back after a rejection, everything else waits.
  bool reloading_ = false;
  /// The journal was asked for the run and has not answered yet.
  bool load_out_ = false;
  bool after_rejection_ = false;
  /// It is being told what it had heard before the rejection: a call that follows may have been answered already.
  bool catching_up_ = false;
  uint32_t rejections_ = 0;
  events_refused refused_;
  std::vector<run_input> stashed_;
  /// Appends that are not answered yet, projections among them.
  size_t appends_out_ = 0;
  /// Another node goes on with the run: nothing is begun any more, and calls that are out then are let go.
  std::optional<timestamp> hand_over_by_;
  /// It has told the dispatcher that it is done and waits to be let go.
  bool leaving_ = false;
  /// The newest event when the watchdog asked last.
  int32_t looked_at_seq_ = 0;
  random_draw chance_{0};
};

run_actor::behavior_type run(run_actor::stateful_pointer<run_actor_state> self, run_beginning how);

} // namespace levain
