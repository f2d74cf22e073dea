#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "persistence/audit_row.hpp"
#include "persistence/event_record.hpp"
#include "persistence/ids.hpp"
#include "tests/simulation/place.hpp"
#include "tests/simulation/worker_witness.hpp"

// What the simulated world lets be seen from outside: what callers ask and are told, what services are asked and
// answer, what reaches the disk, who owns what. Nothing here comes out of the engine's own mouth but its answers, so
// whoever listens can judge the engine without believing it. Times are the world's true time, whatever a node's clock
// says.

namespace levain::simulation {

// ---- what was agreed --------------------------------------------------------

/// How long to wait before trying again: `initial_interval` after the first try, each wait `backoff` times the one
/// before it, none longer than `max_interval`, each shifted by chance within the share `jitter`.
struct wait_known {
  duration initial_interval{};
  double backoff = 1;
  duration max_interval{};
  double jitter = 0;
};

/// A value of a step's output that a column of the audit row takes.
struct record_known {
  std::string column;
  /// A JSON pointer into the output.
  std::string pointer;
};

struct step_known {
  std::string name;
  std::vector<std::string> needs;
  std::vector<std::string> after;
  /// Has a call that undoes it.
  bool compensates = false;
  /// `"effect": "none"`.
  bool effect_none = false;
  /// `"on_failure": "continue"`.
  bool continues = false;
  /// `"compensate_when": "attempted"`.
  bool undone_in_doubt = false;
  uint32_t attempts_max = 1;
  uint32_t undo_attempts_max = 1;
  wait_known retry_wait;
  wait_known undo_retry_wait;
  duration timeout{};
  duration undo_timeout{};
  /// The longest wait for a worker; absent where there is no limit.
  std::optional<duration> queue_timeout;
  std::optional<duration> undo_queue_timeout;
  /// The group of columns it fills in the audit row.
  std::optional<audit_group> audit;
  std::vector<record_known> records;
};

struct workflow_known {
  std::string name;
  int32_t version = 1;
  std::vector<step_known> steps;
  uint32_t run_retries_max = 0;
  wait_known run_retry_wait;
};

// ---- callers ----------------------------------------------------------------

struct start_asked {
  timestamp at{};
  /// Tells requests apart.
  uint64_t request = 0;
  place to;
  tenant_id tenant;
  std::string workflow;
  int32_t version = 1;
  /// JSON text.
  std::string input;
  std::optional<std::string> idempotency_key;
  /// What the run is said to be triggered by, unique in a world; empty for those that ask under one key several times.
  std::string by = {};
};

struct start_told {
  timestamp at{};
  uint64_t request = 0;
  /// Absent when refused.
  std::optional<run_id> run;
  bool repeated = false;
  /// `busy`, `not_ready`, `key_conflict` or `rejected` when refused; `in_doubt` when nobody can tell.
  std::string refusal;
};

enum class wish_kind : uint8_t { cancel, pause, resume, retry, terminate, resolve };

struct wish_asked {
  timestamp at{};
  uint64_t request = 0;
  place to;
  run_id run;
  /// Who asks; may be another than the run's.
  tenant_id tenant;
  wish_kind kind = wish_kind::cancel;
  /// Who it is said to be asked by; unique in a world, so that its event can be found again.
  std::string by;
};

struct wish_told {
  timestamp at{};
  uint64_t request = 0;
  bool granted = false;
  /// `not_found`, `conflict`, `unavailable`, `elsewhere` or `rejected` when refused.
  std::string refusal;
};

/// Somebody asks why a run is where it is.
struct question_asked {
  timestamp at{};
  uint64_t request = 0;
  place to;
  run_id run;
  tenant_id tenant;
};

struct question_told {
  timestamp at{};
  uint64_t request = 0;
  /// The run was explained; otherwise `refusal` is `not_found` or `unavailable`.
  bool explained = false;
  std::string refusal;
};

// ---- services ---------------------------------------------------------------

struct call_made {
  timestamp at{};
  /// Tells calls apart.
  uint64_t call = 0;
  place from;
  run_id run;
  tenant_id tenant;
  std::string step;
  uint32_t attempt = 0;
  bool undo = false;
  std::string idempotency_key;
  /// What the service receives: `{"run": {...}, "input": ..., "results": {...}}`.
  std::string body;
  duration timeout{};
  /// Which kind of workers is to do it; empty for a service.
  std::string kind = {};
  /// The URL, of an HTTP call.
  std::string address = {};
};

/// A service answers a call; it may do so twice, late, or to a node that is gone.
struct call_told {
  timestamp at{};
  uint64_t call = 0;
  /// What came when the call succeeded: JSON text, or what a service may take for it.
  std::optional<std::string> output;
  /// `retryable`, `final` or `timeout` when it did not. A call of a C++ function has no answer when its deadline
  /// passes: that is the engine's to notice, by its own clock.
  std::string failure;
  /// The executor was still waiting: its node lives, had not given the call up and had no answer of it before.
  bool awaited = false;
  /// Of a failed call to workers: why.
  std::string message = {};
  /// The request was sent and what came back is no answer: nobody can tell from it what became of it.
  bool unknown = false;
};

// ---- the disk ---------------------------------------------------------------

/// What one transaction wrote of one run, told when it is on disk, whatever its writer is told.
struct run_written {
  timestamp at{};
  place by;
  run_id run;
  /// The epoch the writer wrote under.
  epoch_number epoch = 0;
  std::vector<event_record> events;
  /// The row as it stands now, when this transaction changed it.
  std::optional<audit_row> row;
  /// The idempotency key this transaction remembered.
  std::optional<std::string> key;
};

/// A node became the owner of a shard.
struct shard_owned {
  timestamp at{};
  place by;
  shard_number shard = 0;
  epoch_number epoch = 0;
  /// Under which id; a node that was fenced comes back under a new one.
  uuid node;
};

/// A node's lease was renewed on disk (by joining or by a heartbeat): nobody may take its shards before `at` + `lease`.
struct lease_renewed {
  timestamp at{};
  place by;
  duration lease{};
  /// The lease of which id.
  uuid node;
};

/// A shard has no owner: it was given back.
struct shard_freed {
  timestamp at{};
  place by;
  shard_number shard = 0;
};

/// The database knows from now on that a node is to hold no shards, or that it may again.
struct node_marked {
  timestamp at{};
  uuid node;
  bool draining = false;
};

/// The database refused a row of this run, as it would refuse a value that does not fit.
struct run_refused {
  timestamp at{};
  place by;
  run_id run;
};

/// Somebody changed the journal of a run by hand, or put it back as it was.
struct journal_tampered {
  timestamp at{};
  run_id run;
  /// It cannot be followed from now on; otherwise it is whole again.
  bool damaged = false;
  /// What was done, for people.
  std::string what;
};

/// Somebody changed the audit row of a run by hand.
struct row_tampered {
  timestamp at{};
  run_id run;
  std::string what;
};

/// The list of the runs that nobody acts for was written.
struct stop_noted {
  timestamp at{};
  place by;
  run_id run;
  /// Under which epoch.
  epoch_number epoch = 0;
  /// Why nobody acts for it; empty when it was taken off the list.
  std::string kind;
};

// ---- processes --------------------------------------------------------------

enum class process_change : uint8_t {
  booted,
  killed,
  paused,
  resumed,
  fenced,
  /// Its clock jumped.
  clock_moved,
};

struct process_changed {
  timestamp at{};
  place who;
  process_change change = process_change::booted;
  /// Of one that boots: it is without something that calls need.
  bool lacks = false;
};

/// What a process may hold in memory, in bytes; told when it boots.
struct budgets_known {
  timestamp at{};
  place who;
  uint64_t calls_bytes_max = 0;
  uint64_t runs_bytes_max = 0;
};

/// What the world finds at its end, when faults have long stopped.
struct run_left_over {
  run_id run;
  /// The kinds of the waits that `explain` names; empty when it names none.
  std::vector<std::string> waits;
};

/// Told of everything, in the order in which it happens.
class witness {
public:
  virtual ~witness() = default;

  virtual void saw(const workflow_known& x) = 0;
  virtual void saw(const start_asked& x) = 0;
  virtual void saw(const start_told& x) = 0;
  virtual void saw(const wish_asked& x) = 0;
  virtual void saw(const wish_told& x) = 0;
  virtual void saw(const question_asked& x) = 0;
  virtual void saw(const question_told& x) = 0;
  virtual void saw(const call_made& x) = 0;
  virtual void saw(const call_told& x) = 0;
  virtual void saw(const run_written& x) = 0;
  virtual void saw(const run_refused& x) = 0;
  virtual void saw(const journal_tampered& x) = 0;
  virtual void saw(const row_tampered& x) = 0;
  virtual void saw(const stop_noted& x) = 0;
  virtual void saw(const shard_owned& x) = 0;
  virtual void saw(const shard_freed& x) = 0;
  virtual void saw(const lease_renewed& x) = 0;
  virtual void saw(const node_marked& x) = 0;
  virtual void saw(const process_changed& x) = 0;
  virtual void saw(const budgets_known& x) = 0;
  virtual void saw(const worker_changed& x) = 0;
  virtual void saw(const link_changed& x) = 0;
  virtual void saw(const word_passed& x) = 0;
  virtual void saw(const work_begun& x) = 0;
  virtual void saw(const work_cancelled& x) = 0;
  virtual void saw(const work_ended& x) = 0;
  virtual void saw(const call_let_go& x) = 0;
  /// Told only where there are workers.
  virtual void saw(const at_rest& x) = 0;
  /// A violation that the engine found itself (the liveness watchdog): in a simulation always a defect.
  virtual void saw_complaint(timestamp at, const place& who, const std::string& text) = 0;
  /// The end: faults stopped long ago. Runs that are not ended, with what they say they wait for.
  virtual void finish(timestamp at, const std::vector<run_left_over>& unfinished) = 0;
};

} // namespace levain::simulation
