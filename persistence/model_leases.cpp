#include "persistence/model_leases.hpp"

#include <stdexcept>
#include <tuple>

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

/// The mutex is held.
bool model_leases::is_free(shard_number shard) const {
  const auto& owner = database_->shards_.at(shard).node;
  return !owner || !lives(*owner);
}

void model_leases::join(const node_record& node, std::chrono::milliseconds lease) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  const auto now = database_->clock_();
  const auto known = database_->nodes_.find(node.id);
  const auto started_at = known == database_->nodes_.end() ? now : known->second.started_at;
  database_->nodes_[node.id] = {node, lease, started_at, now};
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

shard_share model_leases::share(const uuid& node) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  if (!lives(node))
    return {};
  shard_share share;
  size_t rank = 0;
  const auto& self = database_->nodes_.at(node);
  for (const auto& [id, each] : database_->nodes_) {
    if (!lives(id)) {
      ++share.nodes_expired;
      continue;
    }
    ++share.nodes_living;
    if (std::tie(each.started_at, id) < std::tie(self.started_at, node))
      ++rank;
  }
  share.fair = fair_share(rank, share.nodes_living);
  for (size_t i = 0; i < shard_count; ++i)
    share.free += is_free(static_cast<shard_number>(i)) ? 1 : 0;
  return share;
}

std::vector<shard_lease> model_leases::take(const uuid& node, size_t shards_max, bool sole) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  std::vector<shard_lease> taken;
  if (!lives(node))
    return taken;
  for (size_t i = 0; i < shard_count && taken.size() < shards_max; ++i) {
    auto& shard = database_->shards_[i];
    if (shard.node == node || (!sole && !is_free(static_cast<shard_number>(i))))
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

size_t model_leases::release(const uuid& node, const std::vector<shard_lease>& shards) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  size_t count = 0;
  for (const auto& each : shards) {
    auto& shard = database_->shards_.at(each.shard);
    if (shard.node != node || shard.epoch != each.epoch)
      continue;
    shard.node.reset();
    ++count;
  }
  return count;
}

size_t model_leases::forget_expired(std::chrono::milliseconds age) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  const auto now = database_->clock_();
  return std::erase_if(
    database_->nodes_, [&](const auto& each) { return each.second.heartbeat_at + each.second.lease + age < now; });
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
