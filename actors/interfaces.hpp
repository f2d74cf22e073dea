#pragma once

#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/cluster/lease_messages.hpp"
#include "actors/ending_messages.hpp"
#include "actors/liveness_messages.hpp"
#include "actors/messages.hpp"
#include "actors/start_messages.hpp"

// Who talks to whom, and about what. Read with `messages.hpp`, `liveness_messages.hpp`, `ending_messages.hpp` and
// `cluster/lease_messages.hpp`; no implementation is needed to follow the protocol.
//
//   caller -> dispatcher -> run -> step -> executor of the call
//                            |  <- persistence (one per writer)
//   lease keeper -> dispatcher <-> recovery
//
// A run tells its story to persistence first; effects, callers and the next step follow once it is durable.

namespace levain {

/// TIMEKEEPER. One wheel for everybody's waits, so that a node with many waiting runs has one entry in the system's
/// clock.
using timekeeper_actor = caf::typed_actor<
  // Wake the sender at this time or soon after. Any number of times per sender.
  caf::reacts_to<wake_at>,
  // INTERNAL: the earliest time has come.
  caf::reacts_to<turn_wheel>>;

/// PERSISTENCE. Makes events durable, many runs at a time. Waits for no timer while idle.
using persistence_actor = caf::typed_actor<
  // Remember these facts of the sender, a run. Answered with `append_answered` once the batch that carries them is
  // settled.
  caf::reacts_to<append_events>,
  // Write what is waiting, then answer.
  caf::replies_to<drain>::with<drained>,
  // Answered with `run_settled` to the sender.
  caf::reacts_to<settle_run>,
  // INTERNAL: write what has gathered since the last batch.
  caf::reacts_to<write_next>>;

/// STEP. One attempt of one call. Answers its run once with `attempt_ended`; then it is gone.
using step_actor = caf::typed_actor<
  // The executor has the result.
  caf::reacts_to<call_finished>,
  // The call waits, was given to a worker, or lost its worker.
  caf::reacts_to<call_moved>,
  // There is room in memory for the call, which is here.
  caf::reacts_to<call_ready>,
  // The run stops or is paused: take the call back if nobody was given it.
  caf::reacts_to<withdraw_attempt>,
  // The run stops: give up.
  caf::reacts_to<abandon_attempt>,
  // The deadline, or the end of a simulated call.
  caf::reacts_to<wake>>;

/// RUN. Supervises one execution: feeds the machine, makes its events durable, performs its effects.
using run_actor = caf::typed_actor<
  // The dispatcher granted a slot.
  caf::reacts_to<begin_run>,
  // What was appended is durable, or is not to be.
  caf::reacts_to<append_answered>,
  // An attempt of one of its steps ended.
  caf::reacts_to<attempt_ended>,
  // One that is out waits, was given to a worker, or lost its worker.
  caf::reacts_to<attempt_moved>,
  // From the budget of calls: one that waited for room in memory has it.
  caf::reacts_to<memory_granted>,
  // Something is due.
  caf::reacts_to<wake>,
  // A person wants something; answered when durable.
  caf::reacts_to<wish_asked>,
  // A person wants to know.
  caf::reacts_to<explanation_asked>,
  // The run as the journal has it, after a rejection.
  caf::reacts_to<run_loaded>,
  // Its shard goes to another node: leave when what is under way is settled.
  caf::reacts_to<hand_over_run>,
  // The watchdog wants to know what will move it.
  caf::reacts_to<liveness_asked>,
  // The dispatcher has forgotten it, its shard has another owner, or the node ends: go.
  caf::reacts_to<leave_run>>;

/// RECOVERY. Reads runs back from the journal. Has a connection of its own and may wait for it.
using recovery_actor = caf::typed_actor<
  // Read all unfinished runs of these shards and hand them to the sender, a dispatcher, page by page.
  caf::reacts_to<shards_taken>,
  // The shards are somebody else's: forget them.
  caf::reacts_to<shards_lost>,
  // These alone are to be forgotten.
  caf::reacts_to<forget_shards>,
  // Read one run. Answered with `run_loaded` to the sender.
  caf::reacts_to<load_run>,
  // Answered with `open_rows_listed` to the sender.
  caf::reacts_to<list_open_rows>,
  // Which runs nobody acts for, to be written down; INTERNAL: again.
  caf::reacts_to<note_stops>, caf::reacts_to<write_stops_again>,
  // INTERNAL: the dispatcher has taken the last page.
  caf::reacts_to<runs_adopted>,
  // INTERNAL: read the next page.
  caf::reacts_to<read_next_page>>;

/// DISPATCHER. Admits runs, keeps who is here, and lets them begin by priority and tenant.
using dispatcher_actor = caf::typed_actor<
  caf::reacts_to<start_run>, caf::reacts_to<start_runs>, caf::reacts_to<change_run>, caf::reacts_to<explain_run>,
  // A run's actor is done.
  caf::reacts_to<run_left>,
  // Recovery found these. Answered with `runs_adopted` to the sender.
  caf::reacts_to<adopt_runs>,
  // These are this node's now, under these epochs; recovery is told.
  caf::reacts_to<shards_taken>,
  // Recovery is through with these: mint new runs in them.
  caf::reacts_to<shards_recovered>,
  // The lease is gone: stop all runs at once.
  caf::reacts_to<shards_lost>,
  // Other nodes are to have these: let their runs leave. Answered with `shards_vacated` to the lease keeper.
  caf::reacts_to<hand_over_shards>,
  // More numbers for new runs.
  caf::reacts_to<numbers_reserved>,
  // A run that had ended is back, for a wish.
  caf::reacts_to<run_loaded>, caf::reacts_to<report_status>,
  // The node ends: admit nothing more.
  caf::reacts_to<stop_admitting>,
  // The watchdog looks at the runs that are here, at the rows that say they should be, and at those that were given up.
  caf::reacts_to<look_at_live>, caf::reacts_to<look_at_rows>, caf::reacts_to<look_at_stopped>, caf::reacts_to<heal_run>,
  // From recovery and persistence, asked for by the two above.
  caf::reacts_to<open_rows_listed>, caf::reacts_to<run_settled>,
  // INTERNAL: ask again for the runs whose actors died while the journal could not be read.
  caf::reacts_to<wake>>;

/// LEASE KEEPER. Holds the node's lease by heartbeats, takes shards that nobody holds, and hands over what is more than
/// the node's share. Has a connection of its own.
using lease_keeper_actor = caf::typed_actor<
  // INTERNAL: renew, take what is free, hand over what is too much.
  caf::reacts_to<beat>,
  // Answered with `numbers_reserved` to the sender, however long the database takes.
  caf::reacts_to<reserve_numbers>,
  // The dispatcher admits nothing more, and has these left: give them back.
  caf::reacts_to<numbers_unused>,
  // Tell the database where the node is, and its gate.
  caf::reacts_to<announce_address>, caf::reacts_to<announce_gate>,
  // Persistence saw that a shard has another owner.
  caf::reacts_to<shard_fenced>,
  // The dispatcher is through with these: release them.
  caf::reacts_to<shards_vacated>,
  // An operator wants a node to hold no shards, or to hold some again.
  caf::reacts_to<drain_node>,
  // From the wire, where there is one: a peer died; others have released something.
  caf::reacts_to<look_closely>, caf::reacts_to<shards_freed_elsewhere>,
  // INTERNAL: look now; the next of the close looks.
  caf::reacts_to<look_again>, caf::reacts_to<look_closer>,
  // The node is about to end: let others have everything.
  caf::reacts_to<hand_all_over>,
  // Give everything back. Answers when done (or when the database cannot be asked).
  caf::replies_to<drain>::with<drained>>;

/// WATCHDOG. Looks whether something will move every run that has not ended, and has the others taken up anew.
using watchdog_actor = caf::typed_actor<
  // INTERNAL: look on.
  caf::reacts_to<look_around>,
  // What it asked for.
  caf::reacts_to<live_page>, caf::reacts_to<run_liveness>, caf::reacts_to<open_rows_page>>;

/// ENDINGS. Remembers which runs of this node ended last, and tells whoever wants to know.
using endings_actor = caf::typed_actor<
  // From a run: it has ended, and that is durable.
  caf::reacts_to<run_ending>,
  // What ended after a cursor? Answered when there is something, or when the time is over.
  caf::reacts_to<endings_asked>,
  // Tell of every ending.
  caf::reacts_to<listen_to_endings>,
  // INTERNAL: the time of somebody who waits may be over.
  caf::reacts_to<wake>>;

/// DEFINITIONS. Keeps workflow definitions; has a connection of its own.
using definitions_actor =
  caf::typed_actor<caf::reacts_to<register_workflow>, caf::reacts_to<find_workflow>, caf::reacts_to<list_workflows>>;

} // namespace levain
