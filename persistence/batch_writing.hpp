#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "persistence/journal.hpp"
#include "persistence/session.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

/// The statements `batch_writing` needs in its session.
std::vector<named_statement> batch_statements();

/// The settings its session needs. Every statement of a batch is a walk along an index, however large the tables grow:
/// the planner is kept from guessing otherwise while they are small or not analysed, and from planning anew for every
/// batch.
std::vector<std::string> batch_settings();

/// One batch inside one transaction: what is written, and what becomes of each run.
class batch_writing {
public:
  /// Looks at every run without the database: what cannot be sent is rejected at once.
  explicit batch_writing(const std::vector<run_append>& batch);

  /// True when no run is left to be written.
  bool nothing_to_write() const { return live_.empty(); }

  /// Locks the epochs of the batch's shards against a takeover until the transaction ends, and fences the runs of those
  /// that have changed.
  void fence(pqxx::transaction_base& transaction);

  /// Writes all that is left in as few statements as there are tables. Throws what the database says about any row.
  void write(pqxx::transaction_base& transaction);

  /// The same, with the guilty found: parts that fail are halved until a run is alone with its fault.
  void write_in_parts(pqxx::transaction_base& transaction);

  /// Holds up the runs whose rows or start keys others have locked, so that the rest need not wait for them. Rows are
  /// looked at without waiting; keys are tried, each part of them for at most `key_wait_max`. From now on no statement
  /// of the transaction waits longer for a lock than that.
  void pass_over_locked(pqxx::transaction_base& transaction, std::chrono::milliseconds key_wait_max);

  /// One per run of the batch. Committed means: once the transaction is.
  std::vector<append_outcome>& outcomes() { return outcomes_; }

private:
  using indices = std::vector<size_t>;

  struct duplicate_start {
    size_t index;
    append_duplicate outcome;
  };

  std::vector<duplicate_start> write_starts(pqxx::transaction_base& transaction, const indices& part) const;
  std::vector<duplicate_start> write_part(pqxx::transaction_base& transaction, const indices& part) const;
  void write_rows(pqxx::transaction_base& transaction, const indices& part) const;
  /// The transaction of this very append was committed before, though nobody was told.
  bool is_written(pqxx::transaction_base& transaction, const run_append& append) const;
  append_outcome judge_alone(pqxx::transaction_base& transaction, size_t index, const sql_failure& failure) const;
  void hold_up_locked_rows(pqxx::transaction_base& transaction);
  void hold_up_locked_keys(pqxx::transaction_base& transaction);
  void hold_up(size_t index, std::string reason);
  void note(const std::vector<duplicate_start>& duplicates);

  const std::vector<run_append>& batch_;
  std::vector<append_outcome> outcomes_;
  /// The runs that are still to be written, as places in the batch.
  indices live_;
};

} // namespace levain
