#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "persistence/audit_row.hpp"
#include "persistence/event_record.hpp"
#include "persistence/ids.hpp"
#include "persistence/leases.hpp"
#include "persistence/run_stop.hpp"

namespace levain {

/// A key a caller gave to a start so that asking twice starts once.
struct start_key {
  tenant_id tenant;
  /// 1 to 255 bytes.
  std::string key;
  /// SHA-256 of the start's content in hex, 64 characters; the same key with another content is refused.
  std::string fingerprint;
  /// The version of the workflow that the caller named; none when the newest was wanted, whichever it was.
  std::optional<int32_t> version = {};
  /// What the fingerprint was when it held the version that the run got and who triggered it, for starts that are kept
  /// so. May be absent.
  std::function<std::string(int32_t version, const std::string& triggered_by)> older_fingerprint = {};
};

/// What is kept of a start under its key, and of the run that it made.
struct kept_start {
  std::string fingerprint;
  /// Absent when the run's row is gone.
  std::optional<int32_t> version;
  std::string triggered_by;
};

/// Whether this start is the one that is kept, asked for again.
bool is_repeated(const start_key& key, const kept_start& kept);

/// What one run adds to the journal in one batch.
struct run_append {
  run_id run;
  /// The epoch under which the writer owns the run's shard.
  epoch_number epoch = 0;
  /// Numbered without holes, following what the journal holds. Empty only when `update` alone is to be written.
  std::vector<event_record> events;
  /// The run's new row; present exactly when the first event has number 1.
  std::optional<audit_row> insert;
  /// The row as it is to be from now on. Never together with `insert`.
  std::optional<audit_row> update;
  /// Only beside `insert`.
  std::optional<start_key> key;
};

/// The run's part of the batch is on disk.
struct append_committed {
  bool operator==(const append_committed&) const = default;
};

/// The shard has another owner now; nothing of the run was written and never will be under this epoch.
struct append_fenced {
  /// The epoch the shard has now.
  epoch_number current = 0;
  bool operator==(const append_fenced&) const = default;
};

/// The start's key was used before; nothing of this run was written.
struct append_duplicate {
  run_id existing;
  /// False when the earlier start had another content.
  bool same_content = true;
  bool operator==(const append_duplicate&) const = default;
};

/// The run's own rows are at fault; nothing of the run was written, the rest of the batch was.
struct append_rejected {
  /// One line in the database's words, with the column where known.
  std::string reason;
  bool operator==(const append_rejected&) const = default;
};

/// Others hold a lock on a row or a key that the run needs; nothing of the run was written, the rest of the batch was:
/// append the run again later.
struct append_held_up {
  /// One line that names what is locked.
  std::string reason;
  bool operator==(const append_held_up&) const = default;
};

using append_outcome = std::variant<append_committed, append_fenced, append_duplicate, append_rejected, append_held_up>;

/// The answer for a whole batch.
struct append_answer {
  enum class status_type : uint8_t {
    /// Every run has its outcome in `outcomes`.
    done,
    /// The commit was sent and its answer lost: ask `resolve` before anything else.
    in_doubt,
    /// Nothing was written, and the rows are not to blame (no connection, no disk, a deadlock): append again later.
    transient,
  };
  status_type status = status_type::done;
  /// One per `run_append`, in the same order; empty unless `done`.
  std::vector<append_outcome> outcomes;
  /// One line that says what went wrong; empty when `done`.
  std::string reason;
};

/// A run that is not ended, as recovery finds it.
struct unfinished_run {
  run_id run;
  /// All its events, in order; none when the journal is gone.
  std::vector<event_record> events;
  /// Why the events cannot be read, one line; empty when they can. `events` ends before the first such event.
  std::string damage;
  /// It is written down that nobody acts for it.
  bool stopped = false;
  /// `updated_at` of its row: the time of the newest event that the row shows. Nothing when that is no time.
  std::optional<timestamp> row_updated_at = {};
  /// `status` of its row: `pending` or `running`.
  run_status row_status = run_status::pending;
};

/// PERSISTENCE PORT. Remembers events and rows, many runs in one transaction.
/// One object is used by one thread at a time. Implementations: `postgres_journal`, `model_journal`.
class journal {
public:
  virtual ~journal() = default;

  /// Writes the batch in one transaction (several, when a bad row has to be found by bisection). A run appears at most
  /// once in a batch; a second time it is rejected. Checks, inside the transaction, that each run's shard still has the
  /// run's epoch; runs of other shards are not held up by one that is fenced. Events whose number is used already are
  /// compared: the same ones are committed, as after a commit whose answer was lost; others are rejected. Never throws
  /// for what the database does.
  virtual append_answer append(const std::vector<run_append>& batch) = 0;

  /// After `in_doubt`: waits until the lost transaction can no longer commit, then reads the journal's highest number
  /// of each run, under the current epochs. Answers `done` when all is known to be written (or fenced), `transient`
  /// when nothing of it was written (append again) or when the database could not be asked (resolve again: `resolved`
  /// false).
  struct resolution {
    bool resolved = false;
    append_answer answer;
  };
  virtual resolution resolve(const std::vector<run_append>& batch) = 0;

  /// All runs of `shards` whose rows say that they are not ended, in the order of their ids: 16 bytes for each, however
  /// many there are. Rows that Levain did not write (no workflow and no journal) are passed over. It looks at every
  /// open row of the database, so it is asked once, and the runs are read by the page. Throws `journal_unavailable`
  /// when the database cannot be asked.
  virtual std::vector<run_id> list_unfinished(const std::vector<shard_number>& shards) = 0;

  /// Those of `runs` that are unfinished still, each once, in the order given, with their events; who has ended or is
  /// gone since it was listed is left out. Events that cannot be read are told by run. Throws `journal_unavailable`.
  virtual std::vector<unfinished_run> read_unfinished(const std::vector<run_id>& runs) = 0;

  /// All events of one run in order; empty when there is none. Throws `journal_unavailable`, and `journal_unreadable`
  /// when an event is none that this program knows.
  virtual std::vector<event_record> read(const run_id& run) = 0;

  /// What is known of a run without its journal; nothing when it has no row. Throws `journal_unavailable`.
  virtual std::optional<row_outline> find_row(const run_id& run) = 0;

  /// As `list_unfinished`, a page of at most `limit` after `after`, only of rows with a workflow, and only of shards
  /// that are still owned under these epochs: cheap enough to be asked again and again.
  virtual std::vector<run_id>
  open_rows(const std::vector<shard_lease>& shards, const std::optional<run_id>& after, size_t limit) = 0;

  /// Writes down for which runs nobody acts, or that somebody does again. A change whose epoch has passed is left out.
  /// A run appears at most once. Throws `journal_unavailable`.
  virtual void write_stops(const std::vector<stop_change>& changes) = 0;
};

/// An event of a journal cannot be read: its kind is unknown, or a value is none of its column's. One line.
class journal_unreadable : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The database could not be asked; the reason in one line.
class journal_unavailable : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

} // namespace levain
