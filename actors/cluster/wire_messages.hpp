#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/type_id.hpp>

#include "persistence/ids.hpp"

// Every message that crosses a wire between nodes and workers, a struct and a sentence each; `docs/cluster.md` says who
// sends it and what happens when nobody answers. CAF writes and reads them. What arrives is checked by
// `peer_checks.hpp` and `worker_checks.hpp` before anything is done with it. A change of this file that an older
// program cannot read raises `wire_protocol`.

namespace levain {

/// The version of this protocol. Two programs understand each other when their ranges overlap.
inline constexpr uint32_t wire_protocol_min = 1;
inline constexpr uint32_t wire_protocol_max = 2;
/// From here on workers know `call_cancelled`, and nodes the commands terminate and resolve.
inline constexpr uint32_t cancel_protocol_min = 2;
/// From this version on, `wire_start::version` may be negative.
inline constexpr uint32_t wire_protocol_open_versions = 2;
/// From here on large calls go to workers in parts.
inline constexpr uint32_t call_parts_protocol_min = 2;

// ---- refusals ---------------------------------------------------------------

/// The answer to a request that is not served: the asker is unknown, speaks another protocol, or sent what no program
/// of ours sends.
struct wire_refused {
  /// A sentence.
  std::string reason;
};

// ---- nodes ------------------------------------------------------------------

/// NODE to the gate of another node, right after connecting, as a request: this is who I am.
struct node_hello {
  uuid node;
  std::string name;
  /// HOST:PORT of its own gate.
  std::string cluster_address;
  uint32_t protocol_min = 0;
  uint32_t protocol_max = 0;
  /// What answers it: the asker's own gate.
  caf::actor gate;
};

/// The answer to `node_hello`.
struct node_welcome {
  uuid node;
  std::string name;
  /// What both speak.
  uint32_t protocol = 0;
};

/// One of the things a person may ask of a run. The last two are of protocol 2.
enum class wire_wish : uint8_t { cancel, pause, resume, retry, terminate, resolve };

/// NODE to the node that owns the run, as a request: do this to a run of this tenant.
struct wire_change {
  uuid run;
  uuid tenant;
  wire_wish asked = wire_wish::cancel;
  std::string by;
  /// Why, with `cancel` and `terminate`; the note, with `resolve`.
  std::string reason;
};

/// The answer to `wire_change`.
struct wire_changed {
  bool granted = false;
  /// As in `wish_refused`; of no meaning when it was granted.
  uint8_t refusal = 0;
  /// A sentence; empty when it was granted.
  std::string message;
};

/// NODE to the node that owns the run, as a request: why is it where it is?
struct wire_explain {
  uuid run;
  uuid tenant;
};

/// One `wait_reason`.
struct wire_wait {
  std::string kind;
  std::string step;
  std::string text;
  /// Microseconds since 1970; 0 when absent.
  int64_t since = 0;
  int64_t until = 0;
  std::string place;
  /// The last words of whoever does it; empty when there were none.
  std::string progress;
};

/// The answer to `wire_explain`.
struct wire_explained {
  bool found = false;
  /// As in `wish_refused`, when not found.
  uint8_t refusal = 0;
  /// The sentence on the whole, or why not.
  std::string message;
  std::vector<wire_wait> waits;
};

/// NODE to a node with more room, as a request: start this run there.
struct wire_start {
  uuid tenant;
  std::string workflow;
  /// Negative when the caller named none: then its amount is the newest version, as the sender has it.
  int32_t version = 0;
  std::string run_type;
  std::string priority;
  /// Empty when absent, like the texts below.
  std::string triggered_by;
  std::string input;
  std::string metadata;
  std::string idempotency_key;
};

/// The answer to `wire_start`.
struct wire_started {
  bool acknowledged = false;
  uuid run;
  std::string run_number;
  bool repeated = false;
  /// As in `start_refused`; of no meaning when it was acknowledged.
  uint8_t refusal = 0;
  std::string message;
  /// Milliseconds; 0 when absent.
  int64_t retry_after = 0;
  /// As in `start_refused`.
  bool may_have_started = false;
};

/// NODE to all others: shards were released, so look whether they are yours now.
struct shards_freed {
  uuid node;
};

// ---- workers: joining --------------------------------------------------------

/// A kind of steps that a worker does, and how many at once over all nodes.
struct wire_offer {
  std::string kind;
  uint32_t at_once = 0;
};

/// A call that a worker holds without a node that waits for it: it works on it still, or has its result.
struct held_call {
  std::string key;
  uint32_t attempt = 0;
};

/// WORKER to the gate of a node, right after connecting, as a request: this is who I am. Its sender is the actor that
/// calls are given to.
struct worker_hello {
  /// Chosen by the worker at its start.
  uuid worker;
  /// For people.
  std::string name;
  /// The machine it runs on: nodes prefer workers of their own.
  std::string host;
  std::string version;
  uint32_t protocol_min = 0;
  uint32_t protocol_max = 0;
  std::vector<wire_offer> offers;
  std::vector<held_call> held;
};

/// The answer to `worker_hello`.
struct worker_welcome {
  uuid node;
  std::string node_name;
  uint32_t protocol = 0;
  /// HOST:PORT of the gates of all living nodes: connect to them too.
  std::vector<std::string> gates;
};

/// NODE to its workers: the nodes that live have changed; connect to those that are new.
struct gates_known {
  std::vector<std::string> gates;
};

// ---- workers: calls ----------------------------------------------------------

/// NODE to WORKER: do this. Answered with `call_begun` or `call_declined`, then with one `call_ended`.
struct call_given {
  /// Counts the calls that this node gave to anybody; names the call between the two.
  uint64_t number = 0;
  /// Under which the node owns the run; comes back with the answer.
  int64_t epoch = 0;
  uuid run;
  std::string run_number;
  uuid tenant;
  std::string step;
  std::string kind;
  uint32_t attempt = 0;
  bool undo = false;
  /// The same for every attempt at this step, whoever makes it.
  std::string key;
  /// Milliseconds from its arrival until nobody waits for it any more.
  int64_t time_left = 0;
  /// Milliseconds; more between two heartbeats end the attempt. 0: none are asked for.
  int64_t heartbeat = 0;
  /// JSON text `{"run": {...}, "input": ..., "results": {...}}`.
  std::string body;
};

/// NODE to WORKER: a call whose body follows in parts. Protocol 2. The worker may decline it at once; it begins when
/// the body is there.
struct call_announced {
  /// Its `body` is empty. Its `time_left` counts from the arrival of this message.
  call_given given;
  /// Of the whole body.
  uint64_t body_bytes = 0;
};

/// NODE to WORKER: the next part of the body of an announced call. Protocol 2.
struct call_part {
  uint64_t number = 0;
  /// Bytes of the body before this part.
  uint64_t offset = 0;
  /// At most `call_part_bytes_max` long.
  std::string text;
};

/// WORKER to NODE: a part has arrived, and another may be sent. Said of every part, also of a call that is not wanted
/// any more. Protocol 2.
struct call_part_taken {
  uint64_t number = 0;
  /// Of that part.
  uint64_t bytes = 0;
};

/// WORKER to NODE: the whole call is there and it is being done. Heartbeats count from here.
struct call_begun {
  uint64_t number = 0;
};

/// WORKER to NODE: there is no room for it; give it to somebody else. The worker says `room_made` when there is.
struct call_declined {
  uint64_t number = 0;
};

/// WORKER to NODE: so many more of this kind could be given now. Sent to every node when it changes.
struct room_made {
  std::string kind;
  uint32_t free = 0;
};

/// WORKER to NODE: the call goes on.
struct call_heartbeat {
  uint64_t number = 0;
  /// In words, for people; may be empty.
  std::string progress;
};

/// WORKER to NODE: what the call came to.
struct call_ended {
  uint64_t number = 0;
  int64_t epoch = 0;
  std::string key;
  bool succeeded = false;
  /// JSON text when it succeeded; otherwise a sentence that says why not.
  std::string result;
  /// Whether a later attempt may mend it.
  bool retry = false;
  /// Milliseconds; 0 when the step's own policy is to say.
  int64_t retry_after = 0;
};

/// NODE to WORKER: nobody here waits for this call any more.
struct call_dropped {
  uint64_t number = 0;
  /// Its run goes to another node, which will ask for it under the same key: the work goes on, and all nodes are told
  /// who holds it. Otherwise it is cancelled.
  bool moves = false;
};

/// NODE to WORKER: the run of this call is cancelled. End it early if that can be done; its answer is awaited all the
/// same. Protocol 2; a call that has been answered, or is not known, is passed over.
struct call_cancelled {
  uint64_t number = 0;
};

/// WORKER to all nodes: the node that gave these is gone; whoever makes these calls again should give them to me.
struct calls_held {
  std::vector<held_call> held;
};

/// WORKER to all nodes: give me nothing more; what I have I will end.
struct worker_leaving {};

// ---- how CAF reads and writes them -------------------------------------------

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, uuid& x) {
  return f(caf::meta::type_name("uuid"), x.bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wire_refused& x) {
  return f(caf::meta::type_name("wire_refused"), x.reason);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_hello& x) {
  return f(
    caf::meta::type_name("node_hello"), x.node, x.name, x.cluster_address, x.protocol_min, x.protocol_max, x.gate);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_welcome& x) {
  return f(caf::meta::type_name("node_welcome"), x.node, x.name, x.protocol);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wire_change& x) {
  return f(caf::meta::type_name("wire_change"), x.run, x.tenant, x.asked, x.by, x.reason);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wire_changed& x) {
  return f(caf::meta::type_name("wire_changed"), x.granted, x.refusal, x.message);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wire_explain& x) {
  return f(caf::meta::type_name("wire_explain"), x.run, x.tenant);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wire_wait& x) {
  return f(caf::meta::type_name("wire_wait"), x.kind, x.step, x.text, x.since, x.until, x.place, x.progress);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wire_explained& x) {
  return f(caf::meta::type_name("wire_explained"), x.found, x.refusal, x.message, x.waits);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wire_start& x) {
  return f(
    caf::meta::type_name("wire_start"), x.tenant, x.workflow, x.version, x.run_type, x.priority, x.triggered_by,
    x.input, x.metadata, x.idempotency_key);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wire_started& x) {
  return f(
    caf::meta::type_name("wire_started"), x.acknowledged, x.run, x.run_number, x.repeated, x.refusal, x.message,
    x.retry_after, x.may_have_started);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, shards_freed& x) {
  return f(caf::meta::type_name("shards_freed"), x.node);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wire_offer& x) {
  return f(caf::meta::type_name("wire_offer"), x.kind, x.at_once);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, held_call& x) {
  return f(caf::meta::type_name("held_call"), x.key, x.attempt);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, worker_hello& x) {
  return f(
    caf::meta::type_name("worker_hello"), x.worker, x.name, x.host, x.version, x.protocol_min, x.protocol_max, x.offers,
    x.held);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, worker_welcome& x) {
  return f(caf::meta::type_name("worker_welcome"), x.node, x.node_name, x.protocol, x.gates);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, gates_known& x) {
  return f(caf::meta::type_name("gates_known"), x.gates);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_given& x) {
  return f(
    caf::meta::type_name("call_given"), x.number, x.epoch, x.run, x.run_number, x.tenant, x.step, x.kind, x.attempt,
    x.undo, x.key, x.time_left, x.heartbeat, x.body);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_announced& x) {
  return f(caf::meta::type_name("call_announced"), x.given, x.body_bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_part& x) {
  return f(caf::meta::type_name("call_part"), x.number, x.offset, x.text);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_part_taken& x) {
  return f(caf::meta::type_name("call_part_taken"), x.number, x.bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_begun& x) {
  return f(caf::meta::type_name("call_begun"), x.number);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_declined& x) {
  return f(caf::meta::type_name("call_declined"), x.number);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, room_made& x) {
  return f(caf::meta::type_name("room_made"), x.kind, x.free);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_heartbeat& x) {
  return f(caf::meta::type_name("call_heartbeat"), x.number, x.progress);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_ended& x) {
  return f(caf::meta::type_name("call_ended"), x.number, x.epoch, x.key, x.succeeded, x.result, x.retry, x.retry_after);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_dropped& x) {
  return f(caf::meta::type_name("call_dropped"), x.number, x.moves);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_cancelled& x) {
  return f(caf::meta::type_name("call_cancelled"), x.number);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, calls_held& x) {
  return f(caf::meta::type_name("calls_held"), x.held);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, worker_leaving& /*nothing in it*/) {
  return f(caf::meta::type_name("worker_leaving"));
}

} // namespace levain

CAF_BEGIN_TYPE_ID_BLOCK(levain_wire, first_custom_type_id)

CAF_ADD_TYPE_ID(levain_wire, (levain::uuid))
CAF_ADD_TYPE_ID(levain_wire, (levain::wire_refused))
CAF_ADD_TYPE_ID(levain_wire, (levain::node_hello))
CAF_ADD_TYPE_ID(levain_wire, (levain::node_welcome))
CAF_ADD_TYPE_ID(levain_wire, (levain::wire_wish))
CAF_ADD_TYPE_ID(levain_wire, (levain::wire_change))
CAF_ADD_TYPE_ID(levain_wire, (levain::wire_changed))
CAF_ADD_TYPE_ID(levain_wire, (levain::wire_explain))
CAF_ADD_TYPE_ID(levain_wire, (levain::wire_wait))
CAF_ADD_TYPE_ID(levain_wire, (levain::wire_explained))
CAF_ADD_TYPE_ID(levain_wire, (levain::wire_start))
CAF_ADD_TYPE_ID(levain_wire, (levain::wire_started))
CAF_ADD_TYPE_ID(levain_wire, (levain::shards_freed))
CAF_ADD_TYPE_ID(levain_wire, (levain::wire_offer))
CAF_ADD_TYPE_ID(levain_wire, (levain::held_call))
CAF_ADD_TYPE_ID(levain_wire, (levain::worker_hello))
CAF_ADD_TYPE_ID(levain_wire, (levain::worker_welcome))
CAF_ADD_TYPE_ID(levain_wire, (levain::gates_known))
CAF_ADD_TYPE_ID(levain_wire, (levain::call_given))
CAF_ADD_TYPE_ID(levain_wire, (levain::call_begun))
CAF_ADD_TYPE_ID(levain_wire, (levain::call_declined))
CAF_ADD_TYPE_ID(levain_wire, (levain::room_made))
CAF_ADD_TYPE_ID(levain_wire, (levain::call_heartbeat))
CAF_ADD_TYPE_ID(levain_wire, (levain::call_ended))
CAF_ADD_TYPE_ID(levain_wire, (levain::call_dropped))
CAF_ADD_TYPE_ID(levain_wire, (levain::calls_held))
CAF_ADD_TYPE_ID(levain_wire, (levain::worker_leaving))
CAF_ADD_TYPE_ID(levain_wire, (levain::call_cancelled))
CAF_ADD_TYPE_ID(levain_wire, (levain::call_announced))
CAF_ADD_TYPE_ID(levain_wire, (levain::call_part))
CAF_ADD_TYPE_ID(levain_wire, (levain::call_part_taken))

CAF_END_TYPE_ID_BLOCK(levain_wire)
