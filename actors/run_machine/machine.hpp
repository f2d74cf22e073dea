#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/run_machine/event.hpp"
#include "actors/run_machine/state.hpp"

namespace levain {

// ---- inputs: what can happen to a run ---------------------------------------

/// The dispatcher gave the run a slot.
struct slot_granted {};

/// An attempt ended. Answers to attempts that are not out any more change nothing.
struct call_answered {
  step_index step = 0;
  uint32_t attempt = 0;
  /// True when the attempt was one to undo the step.
  bool undo = false;
  /// JSON text, or why there is none.
  std::variant<std::string, call_failure> result;
  /// The worker that had it, if one did.
  std::string worker = {};
  /// How long it waited before its work began; what is below a millisecond counts as nothing.
  duration queued{0};
};

/// Time has passed; whatever is due by now begins.
struct clock_reached {};

struct cancel_asked {
  std::string by;
  std::string reason;
};

/// End the run now: what is out is not awaited, and what succeeded is not undone.
struct terminate_asked {
  std::string by;
  std::string reason;
};

/// A person has dealt with what needed attention after the run's end.
struct resolve_asked {
  std::string by;
  /// What was done about it, for those who read it later.
  std::string note;
};

/// The grace of a cancellation is over: what has not answered by now is not awaited any longer.
struct cancel_grace_over {
  /// How long it was.
  duration grace{};
};

/// A worker was lost with an attempt in hand; the attempt waits for another worker.
struct delivery_was_lost {
  step_index step = 0;
  uint32_t attempt = 0;
  bool undo = false;
  /// The worker's name.
  std::string worker;
};

struct pause_asked {
  std::string by;
};

struct resume_asked {
  std::string by;
};

/// A person wants a failed run (or one that waits for its automatic retry) to go on at what failed.
struct retry_asked {
  std::string by;
};

/// The journal refused the events that earlier decisions made; the state is what the journal holds, without them. The
/// decision has a refusal when even the end of the run was refused: nothing more can be written then.
struct events_refused {
  std::vector<event> events;
  std::string reason;
};

using run_input = std::variant<
  slot_granted, call_answered, clock_reached, cancel_asked, pause_asked, resume_asked, retry_asked, events_refused,
  terminate_asked, resolve_asked, cancel_grace_over, delivery_was_lost>;

// ---- effects: what a decision asks for --------------------------------------

/// Begin this attempt. To be performed once the decision's events are durable; with `call_effect::none`, at once.
struct begin_call {
  step_index step = 0;
  uint32_t attempt = 0;
  bool undo = false;
  bool operator==(const begin_call&) const = default;
};

/// Give up this attempt; its answer will not be used. Only for calls with `call_effect::none`.
struct abandon_call {
  step_index step = 0;
  uint32_t attempt = 0;
  bool operator==(const abandon_call&) const = default;
};

/// Take this attempt back if nobody was given it; it is answered with `call_failure::kind_type::withdrawn` then. What
/// may have begun is awaited. To be performed once the decision's events are durable.
struct withdraw_call {
  step_index step = 0;
  uint32_t attempt = 0;
  /// The run is cancelled: whoever does the call is to end early.
  bool cancel = false;
  bool operator==(const withdraw_call&) const = default;
};

using run_effect = std::variant<begin_call, abandon_call, withdraw_call>;

/// What `decide` answers.
struct decision {
  /// To be made durable in this order, then folded by `evolve`. Numbered from `state.seq + 1`.
  std::vector<event> events;
  std::vector<run_effect> effects;
  /// Why a person's wish cannot be granted, as a sentence; nothing else is in the decision then.
  std::optional<std::string> refusal;
};

/// What `decide` may know beside the state: it reads no clock and draws no numbers.
struct decision_context {
  timestamp now{};
  /// Uniform in [0, 1): the chance that jitter uses.
  double random = 0.5;
  /// Of the times that the state waits for (`due_times`), those that have come, by a clock that nobody can set. Absent:
  /// those up to `now`.
  std::optional<std::vector<timestamp>> come = {};
};

// ---- the machine ------------------------------------------------------------

/// The first event of a run, with the plan's JSON texts in canonical form. Throws `std::invalid_argument` when the
/// input is not JSON, the metadata is not a JSON object, or one of them is nested deeper than `output_depth_max`.
event accept_run(const run_plan& plan, timestamp now);

/// A run before its first event.
run_state initial_state(workflow_ptr workflow);

/// The rules of a run: which facts follow from this input, and what to do. Pure.
decision decide(const run_state& state, const run_input& input, const decision_context& context);

/// Folds one event. Throws `broken_journal` when the event cannot follow (a hole, a step that does not exist, a second
/// end); the state is unchanged then.
void evolve(run_state& state, const event& fact);
/// The same, and takes the event's texts instead of copying them.
void evolve(run_state& state, event&& fact);

/// What has to be in hand for this state: every call that is out. On recovery all of them are made again.
std::vector<begin_call> calls_out(const run_state& state);

/// When `clock_reached` is to be fed next; nothing when the run waits for no clock.
std::optional<timestamp> next_due(const run_state& state);

/// The run's audit row: the projection of everything the state knows.
audit_row audit_of(const run_state& state);

/// The idempotency key of a step's call: `run_id/step`, `run_id/step/undo`; after a step was undone and is done anew,
/// `run_id/step/redo/1` and `run_id/step/redo/1/undo`.
std::string idempotency_key(const run_state& state, step_index step, bool undo);

/// The state said by the journal is not one the rules can produce; the message names the event.
class broken_journal : public std::runtime_error {
public:
  /// Any text, with whatever the journal holds in it; it becomes a plain line.
  explicit broken_journal(std::string_view what);
};

} // namespace levain
