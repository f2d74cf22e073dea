#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persistence/journal.hpp"
#include "persistence/model_database.hpp"

namespace levain {

/// How an append of the model goes wrong.
enum class model_fault : uint8_t {
  none,
  /// Nothing is written, and the answer says so.
  transient,
  /// The answer of the commit is lost, and the commit as well.
  in_doubt_before_commit,
  /// The answer of the commit is lost, but everything is written.
  in_doubt_after_commit,
};

/// The bad manners of a model: each function is asked on every call that its name tells; an empty one never makes
/// trouble.
struct model_manners {
  std::function<model_fault(const std::vector<run_append>& batch)> on_append;
  /// One line: this run's rows are refused.
  std::function<std::optional<std::string>(const run_append& append)> on_row;
  /// True: others have locked a row or a key of this run.
  std::function<bool(const run_append& append)> is_locked;
  /// False: the database cannot be asked (`resolve` stays unresolved; reads throw `journal_unavailable`).
  std::function<bool()> can_resolve;
  std::function<bool()> can_read;
};

/// The journal in memory: the same answers as `postgres_journal` gives, and faults on demand. Several objects may share
/// a database, as several writers and nodes do.
class model_journal : public journal {
public:
  explicit model_journal(
    std::shared_ptr<model_database> database, std::shared_ptr<const model_manners> manners = nullptr);

  append_answer append(const std::vector<run_append>& batch) override;
  resolution resolve(const std::vector<run_append>& batch) override;
  std::vector<run_id> list_unfinished(const std::vector<shard_number>& shards) override;
  std::vector<unfinished_run> read_unfinished(const std::vector<run_id>& runs) override;
  std::vector<event_record> read(const run_id& run) override;
  std::optional<row_outline> find_row(const run_id& run) override;
  std::vector<run_id>
  open_rows(const std::vector<shard_lease>& shards, const std::optional<run_id>& after, size_t limit) override;
  void write_stops(const std::vector<stop_change>& changes) override;

private:
  append_outcome write(const run_append& append);
  append_outcome judge(const run_append& append) const;
  bool is_written(const run_append& append) const;
  std::optional<std::string> find_conflict(const run_append& append) const;
  void expect_readable() const;
  bool is_unfinished(const audit_row& row) const;
  static bool is_open_row(const audit_row& row, const std::vector<shard_number>& shards);
  /// Adds what can be read; answers why the rest cannot, or nothing.
  static std::string read_until_damage(const std::vector<event_record>& stored, std::vector<event_record>& events);

  std::shared_ptr<model_database> database_;
  std::shared_ptr<const model_manners> manners_;
  /// What the transaction in doubt was about to answer.
  std::vector<append_outcome> planned_;
};

} // namespace levain
