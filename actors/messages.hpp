#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/calls/call_budget.hpp"
#include "actors/calls/call_in_flight.hpp"
#include "actors/run_machine/explain.hpp"
#include "actors/run_machine/machine.hpp"
#include "actors/workflow/parse_definition.hpp"
#include "persistence/definition_store.hpp"
#include "persistence/journal.hpp"
#include "persistence/leases.hpp"

// Every message of a node, a struct and a sentence each. They stay inside the process, so they may carry pointers and
// functions and need no inspection; a type that is to cross a wire gets a type id in a block of its own.

namespace levain {

// ---- starts -----------------------------------------------------------------

/// What a caller asks for; checked by `check_start` before it becomes a message.
struct start_request {
  tenant_id tenant;
  workflow_ptr workflow;
  /// The caller named the version; otherwise `workflow` is the newest one.
  bool version_named = true;
  std::string run_type = "manual";
  std::string priority = "normal";
  std::optional<std::string> triggered_by;
  /// JSON text.
  std::string input = "{}";
  /// A JSON object or nothing.
  std::optional<std::string> metadata;
  /// At most `idempotency_key_bytes_max` bytes.
  std::optional<std::string> idempotency_key;
};

/// The run is durable: it will end or say what it waits for.
struct start_acknowledged {
  run_id run;
  std::string run_number;
  /// True when an earlier start with the same key had made it.
  bool repeated = false;
};

/// The run was not started and never will be by this request.
struct start_refused {
  enum class reason_type : uint8_t {
    /// The waiting room is full; `retry_after` says when to ask again.
    busy,
    /// This node owns no shards (yet, or any more).
    not_ready,
    /// The same idempotency key was used for a start with another content.
    key_conflict,
    /// The database refused the rows.
    rejected,
  };
  reason_type reason = reason_type::busy;
  /// A sentence.
  std::string message;
  std::optional<std::chrono::milliseconds> retry_after;
  /// The exception: nobody can tell. Who asks again without an idempotency key may have two runs.
  bool may_have_started = false;
};

using start_outcome = std::variant<start_acknowledged, start_refused>;

/// Where an outcome is delivered; called exactly once, on some actor's thread, and may not block.
template <class Outcome>
using receiver = std::function<void(Outcome)>;

/// Start one run. The outcome comes when the start is durable or refused.
struct start_run {
  start_request request;
  receiver<start_outcome> outcome;
};

// ---- what people ask of runs ------------------------------------------------

/// The wish was granted and is durable.
struct wish_granted {};

/// The wish was not granted; nothing has changed.
struct wish_refused {
  enum class reason_type : uint8_t {
    /// No such run (of this tenant).
    not_found,
    /// The run is in no state for it.
    conflict,
    /// Not now: the database cannot be reached.
    unavailable,
    /// The database refused the rows.
    rejected,
    /// The run's shard is another node's, or on its way to one.
    elsewhere,
  };
  reason_type reason = reason_type::conflict;
  /// A sentence.
  std::string message;
};

using wish_outcome = std::variant<wish_granted, wish_refused>;

/// One of the things a person may ask of a run.
using wish = std::variant<cancel_asked, pause_asked, resume_asked, retry_asked, terminate_asked, resolve_asked>;

/// Do this to a run of this tenant.
struct change_run {
  run_id run;
  tenant_id tenant;
  wish asked;
  receiver<wish_outcome> outcome;
};

/// What a run says of itself: the machine's explanation, and what only its actor knows.
using explain_outcome = std::variant<explanation, wish_refused>;

/// Why is this run of this tenant where it is?
struct explain_run {
  run_id run;
  tenant_id tenant;
  receiver<explain_outcome> outcome;
};

// ---- run and persistence ----------------------------------------------------

/// Remember these facts of one run.
struct append_events {
  run_append append;
  /// Whose run it is: tenants take turns.
  tenant_id tenant;
  /// True for the first append after one was rejected: what came between is dropped.
  bool after_rejection = false;
};

/// The answer to `append_events`: exactly one for each, unless the run was rejected before and has not said
/// `after_rejection`.
struct append_answered {
  /// The highest event number that this answer settles; 0 for a projection alone.
  int32_t seq = 0;
  append_outcome outcome;
};

/// INTERNAL to the persistence actor: write what has gathered.
struct write_next {};

/// Write what is waiting, then answer.
struct drain {};

/// Nothing was waiting any more.
struct drained {};

// ---- run and step -----------------------------------------------------------

/// An attempt ended. Sent by a step to its run, exactly once per attempt.
struct attempt_ended {
  step_index step = 0;
  uint32_t attempt = 0;
  bool undo = false;
  std::variant<std::string, call_failure> result;
};

/// The executor has the call's result. Sent to a step, at most once.
struct call_finished {
  std::variant<std::string, call_failure> result;
};

/// An attempt that has no result yet has moved. Sent by a step to its run.
struct attempt_moved {
  step_index step = 0;
  uint32_t attempt = 0;
  bool undo = false;
  call_news news;
};

/// The call has no result yet, and has moved. Sent to a step by the executor.
struct call_moved {
  call_news news;
};

/// The node's memory for calls has room for this one. Sent to a run.
struct memory_granted {
  begin_call call;
  call_bytes_ptr bytes;
};

/// The call that waited for room: ready, or why it cannot be made, or another place in line, because it takes more by
/// now. Sent to a step by its run.
struct call_ready {
  std::variant<call_request, call_failure, call_budget::ticket> what;
};

/// Take the attempt back if nobody was given it, and answer `withdrawn` then; otherwise its result is awaited.
struct withdraw_attempt {
  withdraw_reason why = withdraw_reason::stopped;
};

/// Give the attempt up and answer `abandoned`.
struct abandon_attempt {
  let_go_reason why = let_go_reason::not_needed;
};

// ---- time -------------------------------------------------------------------

/// Wake the sender at `due` or soon after.
struct wake_at {
  timestamp due{};
};

/// The time that `wake_at` named has come.
struct wake {};

/// INTERNAL to the timekeeper: look at the wheel.
struct turn_wheel {
  /// Which turn it is; those that were armed before it are too late.
  uint64_t turn = 0;
};

// ---- run and dispatcher -----------------------------------------------------

/// A slot is free: begin.
struct begin_run {};

/// Do this, as a person asked.
struct wish_asked {
  wish asked;
  receiver<wish_outcome> outcome;
};

/// Say what you wait for.
struct explanation_asked {
  receiver<explain_outcome> outcome;
  /// Why it has no slot yet, in the dispatcher's words; empty when it has one.
  std::string slot;
};

/// The run's actor is done: the run ended, its start was refused, or its shard has, or is to have, another owner.
struct run_left {
  run_id run;
  enum class reason_type : uint8_t { ended, not_started, fenced, handed_over, given_up } reason = reason_type::ended;
  /// Why it was given up; absent otherwise.
  std::optional<run_stop> stop = {};
};

/// The run goes on at another node: begin nothing more. Calls that are out may end until `deadline`; when none is out
/// and everything is settled, leave.
struct hand_over_run {
  timestamp deadline{};
};

/// Stop at once: the shard has another owner, or the node ends. Nothing more is written.
struct leave_run {};

// ---- leases and recovery ----------------------------------------------------

/// This node owns these shards now; their runs are to be recovered.
struct shards_taken {
  std::vector<shard_lease> shards;
};

/// The node's lease is gone: whatever it owned has, or may have, another owner.
struct shards_lost {};

/// These shards are more than this node's share: let their runs go, and say `shards_vacated` when none is here and
/// nothing of them is on its way to the database.
struct hand_over_shards {
  std::vector<shard_lease> shards;
};

/// The answer to `hand_over_shards`, shard by shard.
struct shards_vacated {
  std::vector<shard_lease> shards;
};

/// The journal refused an append because this shard is not this node's under this epoch.
struct shard_fenced {
  shard_lease shard;
};

/// Recover these shards no further: they go to another node.
struct forget_shards {
  std::vector<shard_lease> shards;
};

/// INTERNAL to the lease keeper: it is time for a heartbeat.
struct beat {};

/// The node is to be known by this address.
struct announce_address {
  std::string address;
};

/// Reserve the next block of run numbers.
struct reserve_numbers {};

/// Numbers nobody else gets: `first` to `first + count - 1`.
struct numbers_reserved {
  int64_t first = 0;
  int64_t count = 0;
};

/// A run read back from the journal, ready to act.
struct recovered_run {
  std::shared_ptr<run_state> state;
  /// Under which the run's shard was owned when the journal was read.
  epoch_number epoch = 0;
  /// It has ended, and its row says that it goes on: nothing is left to do but to bring the row up to date.
  bool row_lags = false;
  /// It is written down that nobody acts for it.
  bool stopped = false;
  /// Its row shows all of its events.
  bool row_is_current = false;
};

/// A run whose journal cannot be followed.
struct damaged_run {
  run_id run;
  epoch_number epoch = 0;
  /// One line.
  std::string damage;
};

/// Take these runs up again. Answered when they act, so that recovery goes no faster than the node can follow.
struct adopt_runs {
  std::vector<recovered_run> runs;
  /// Those that nobody can act for, from the same page.
  std::vector<damaged_run> damaged;
};

/// The answer to `adopt_runs`.
struct runs_adopted {};

/// All unfinished runs of these shards are here; new ones may be minted in them.
struct shards_recovered {
  std::vector<shard_lease> shards;
};

/// INTERNAL to recovery: read the next page.
struct read_next_page {};

/// Read one run back.
struct load_run {
  run_id run;
};

/// The answer to `load_run`: the run as the journal has it, nothing when there is none, or why it could not be read.
struct run_loaded {
  run_id run;
  std::shared_ptr<run_state> state;
  /// Why the database could not be asked, a sentence; empty when it could.
  std::string failure;
  /// Why the journal cannot be followed, a sentence; empty when it can or there is none.
  std::string damage = {};
  /// What is known without the journal.
  std::optional<row_outline> row = {};
};

/// Write down for which runs nobody acts, or that somebody does again; tried until the database has it.
struct note_stops {
  std::vector<stop_change> changes;
};

/// INTERNAL to recovery: try again to write the stops down.
struct write_stops_again {};

// ---- definitions ------------------------------------------------------------

/// Put a checked definition under its name and version.
struct register_workflow {
  workflow_ptr workflow;
  receiver<register_outcome> outcome;
};

/// Find a workflow; without a version, the newest.
struct find_workflow {
  std::string name;
  std::optional<int32_t> version;
  /// Null when there is none; a sentence when the database could not be asked.
  receiver<std::variant<workflow_ptr, std::string>> outcome;
};

/// Everything registered, by name and version.
struct list_workflows {
  receiver<std::variant<std::vector<definition_record>, std::string>> outcome;
};

// ---- the node ---------------------------------------------------------------

/// Admit nothing new any more.
struct stop_admitting {};

/// What the dispatcher knows, for health pages.
struct dispatcher_status {
  size_t runs_live = 0;
  size_t runs_running = 0;
  size_t runs_waiting = 0;
  /// Runs of this node that nobody acts for until they are read back.
  size_t runs_stopped = 0;
  size_t shards_ready = 0;
  /// Owned, and not through recovery yet.
  size_t shards_recovering = 0;
  /// Read back since the last recovery began.
  size_t runs_recovered = 0;
  /// On their way to other nodes.
  size_t shards_leaving = 0;
  /// How often the node lost its shards to others, and when it did so last.
  size_t times_fenced = 0;
  std::optional<timestamp> fenced_at;
  bool admitting = true;
  /// Run numbers from the database are at hand; without them no start is taken.
  bool has_run_numbers = false;
};

/// Ask for `dispatcher_status`.
struct report_status {
  receiver<dispatcher_status> outcome;
};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::start_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::change_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::explain_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::append_events)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::append_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::write_next)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::drained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::attempt_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::call_finished)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::abandon_attempt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::attempt_moved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::call_moved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::withdraw_attempt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::memory_granted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::call_ready)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::wake_at)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::wake)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::turn_wheel)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::begin_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::wish_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::explanation_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::run_left)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::leave_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::shards_taken)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::shards_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::hand_over_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::hand_over_shards)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::shards_vacated)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::shard_fenced)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::forget_shards)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::beat)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::announce_address)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::reserve_numbers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::numbers_reserved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::adopt_runs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::runs_adopted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::shards_recovered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::read_next_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::load_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::run_loaded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::register_workflow)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::find_workflow)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::list_workflows)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::stop_admitting)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::report_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::note_stops)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::write_stops_again)
