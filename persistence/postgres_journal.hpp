#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "persistence/journal.hpp"
#include "persistence/journal_survey.hpp"

namespace levain {

/// How a journal on PostgreSQL behaves.
struct postgres_journal_options {
  /// A libpq connection URL.
  std::string url;
  /// What `pg_stat_activity` shows.
  std::string application_name = "levain journal";
  /// How long connecting may take; at least 2 s.
  std::chrono::seconds connect_timeout{5};
  /// A statement of a batch that takes longer is cancelled, and the batch is transient.
  std::chrono::milliseconds statement_timeout{30'000};
  /// An answer that takes so much longer than that does not come: the connection is given up, and the batch is
  /// transient, or in doubt when the commit was sent.
  std::chrono::milliseconds answer_margin{5'000};
  /// A statement of a batch that waits longer for a lock is cancelled, and the batch is written around the rows and
  /// keys that others have locked: their runs are held up. A batch waits so long once, however many rows are locked.
  std::chrono::milliseconds lock_timeout{1'000};
  /// So long an idempotency key is waited for that an open transaction of others uses, while the batch is written
  /// around locks. A batch of 500 starts with one such key waits about ten times as long.
  std::chrono::milliseconds key_wait_max{100};
  /// How long `resolve` waits for a lost transaction to end before it answers that it is unresolved.
  std::chrono::milliseconds resolve_lock_timeout{10'000};
  /// The server ends a session that stays idle inside a transaction for longer: what a lost client holds, it holds no
  /// longer. About as long as a lease, because a node that freezes in the middle of a batch holds its shards locked,
  /// and nobody can take them over before.
  std::chrono::milliseconds idle_in_transaction_timeout{5'000};
};

/// The journal on PostgreSQL, over one connection that it opens when needed and again after a loss. Connecting is tried
/// once per call: the wait between tries is the caller's (see `backoff`).
///
/// A batch costs a fixed number of round trips, however many runs it carries: the fence, the keys of starts if there
/// are any, the events, the rows inserted, the rows updated, the commit.
class postgres_journal : public journal, public journal_survey {
public:
  explicit postgres_journal(postgres_journal_options options);
  ~postgres_journal() override;

  append_answer append(const std::vector<run_append>& batch) override;
  resolution resolve(const std::vector<run_append>& batch) override;
  std::vector<run_id> list_unfinished(const std::vector<shard_number>& shards) override;
  std::vector<unfinished_run> read_unfinished(const std::vector<run_id>& runs) override;
  std::vector<event_record> read(const run_id& run) override;
  std::optional<row_outline> find_row(const run_id& run) override;
  std::vector<run_id>
  open_rows(const std::vector<shard_lease>& shards, const std::optional<run_id>& after, size_t limit) override;
  void write_stops(const std::vector<stop_change>& changes) override;

  page survey(const std::vector<shard_lease>& shards, const std::optional<run_id>& before, size_t events_max) override;
  std::vector<run_id> contradicted(const std::vector<run_id>& runs) override;
  std::vector<uint64_t> sizes(const std::vector<run_id>& runs, uint64_t bytes_max) override;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace levain
