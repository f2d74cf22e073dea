#include "persistence/model_leases.hpp"

#include <stdexcept>

#include "persistence/journal.hpp"

namespace levain {

model_leases::model_leases(std::shared_ptr<model_database> database, std::function<bool()> reachable)
  : database_(std::move(database))
  , reachable_(std::move(reachable)) {}

void model_leases::expect_reachable() const {
  if (reachable_ && !reachable_())
    throw journal_unavailable("the model has lost its database");
}

/// The mutex is held.
bool model_leases::lives(const uuid& node) const {
  const auto found = database_->nodes_.find(node);
  return found != database_->nodes_.end() && found->second.heartbeat_at + found->second.lease >= database_->clock_();
}

void model_leases::join(const node_record& node, std::chrono::milliseconds lease) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  database_->nodes_[node.id] = {node, lease, database_->clock_()};
}

bool model_leases::heartbeat(const uuid& node) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  const auto found = database_->nodes_.find(node);
  if (found == database_->nodes_.end())
    return false;
  found->second.heartbeat_at = database_->clock_();
  return true;
}

std::vector<shard_lease> model_leases::take(const uuid& node, size_t shards_max, bool sole) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  std::vector<shard_lease> taken;
  if (!lives(node))
    return taken;
  for (size_t i = 0; i < shard_count && taken.size() < shards_max; ++i) {
    auto& shard = database_->shards_[i];
    if (shard.node == node || (shard.node && !sole && lives(*shard.node)))
      continue;
    shard.node = node;
    ++shard.epoch;
    taken.push_back({static_cast<shard_number>(i), shard.epoch});
  }
  return taken;
}

std::vector<shard_lease> model_leases::owned(const uuid& node) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  std::vector<shard_lease> shards;
  for (size_t i = 0; i < shard_count; ++i)
    if (database_->shards_[i].node == node)
      shards.push_back({static_cast<shard_number>(i), database_->shards_[i].epoch});
  return shards;
}

void model_leases::leave(const uuid& node) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  for (auto& shard : database_->shards_)
    if (shard.node == node)
      shard.node.reset();
  database_->nodes_.erase(node);
}

int64_t model_leases::reserve_run_numbers(int64_t count) {
  if (count < 1)
    throw std::invalid_argument("a block of " + std::to_string(count) + " run numbers: must be at least 1");
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  const int64_t first = database_->next_run_number_;
  database_->next_run_number_ += count;
  return first;
}

} // namespace levain
