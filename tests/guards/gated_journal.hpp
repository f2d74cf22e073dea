#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "persistence/journal.hpp"

namespace levain::test {

/// Closed until a test opens it.
class gate {
public:
  void open() {
    {
      const std::lock_guard lock(mutex_);
      is_open_ = true;
    }
    opened_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return is_open_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
};

/// A journal whose batches wait until its gate is open, so that a test can let as much gather as it likes.
class gated_journal : public journal {
public:
  gated_journal(std::unique_ptr<journal> store, std::shared_ptr<gate> entrance)
    : store_(std::move(store))
    , entrance_(std::move(entrance)) {}

  append_answer append(const std::vector<run_append>& batch) override {
    entrance_->wait();
    return store_->append(batch);
  }
  resolution resolve(const std::vector<run_append>& batch) override { return store_->resolve(batch); }
  std::vector<unfinished_run>
  unfinished(const std::vector<shard_number>& shards, const std::optional<run_id>& after, size_t limit) override {
    return store_->unfinished(shards, after, limit);
  }
  std::vector<event_record> read(const run_id& run) override { return store_->read(run); }
  std::optional<row_outline> find_row(const run_id& run) override { return store_->find_row(run); }
  std::vector<run_id>
  open_rows(const std::vector<shard_lease>& shards, const std::optional<run_id>& after, size_t limit) override {
    return store_->open_rows(shards, after, limit);
  }
  void write_stops(const std::vector<stop_change>& changes) override { store_->write_stops(changes); }

private:
  std::unique_ptr<journal> store_;
  std::shared_ptr<gate> entrance_;
};

} // namespace levain::test
