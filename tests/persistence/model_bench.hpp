#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "persistence/model_journal.hpp"
#include "tests/persistence/journal_bench.hpp"

namespace levain::test {

/// The model, with a database that is lost on demand.
class model_bench : public journal_bench {
public:
  model_bench() {
    manners_->on_append = [this](const std::vector<run_append>&) {
      return away_ ? model_fault::transient : std::exchange(next_fault_, model_fault::none);
    };
    manners_->is_locked = [this](const run_append& append) { return append.update && locked_.contains(append.run); };
    manners_->can_resolve = manners_->can_read = [this] { return !away_; };
    for (shard_number shard = 0; shard < shard_count; ++shard)
      set_epoch(shard, bench_epoch);
  }

  journal& subject() override { return journal_; }
  std::unique_ptr<journal> another() override { return std::make_unique<model_journal>(database_); }
  void set_epoch(shard_number shard, epoch_number epoch) override { database_->set_epoch(shard, epoch); }
  std::optional<audit_row> row(const run_id& run) override { return database_->row(run); }
  void lose_next_commit() override { next_fault_ = model_fault::in_doubt_before_commit; }
  void lose_next_answer() override { next_fault_ = model_fault::in_doubt_after_commit; }
  void goes_away() override { away_ = true; }
  void comes_back() override { away_ = false; }
  void lock_row(const run_id& run) override { locked_.insert(run); }
  void unlock_rows() override { locked_.clear(); }

  void tamper(const run_id& run, const std::function<void(std::vector<event_record>&)>& change) {
    database_->tamper_with_events(run, change);
  }

  const model_database& database() const { return *database_; }

  std::shared_ptr<model_manners> manners_ = std::make_shared<model_manners>();

private:
  std::shared_ptr<model_database> database_ = std::make_shared<model_database>();
  model_fault next_fault_ = model_fault::none;
  bool away_ = false;
  std::set<run_id> locked_;
  model_journal journal_{database_, manners_};
};

} // namespace levain::test
