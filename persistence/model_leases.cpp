#include "persistence/model_leases.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <tuple>

#include "persistence/journal.hpp"
#include "persistence/node_compatibility.hpp"

namespace levain {

model_leases::model_leases(std::shared_ptr<model_database> database, std::function<bool()> reachable)
  : database_(std::move(database))
  , reachable_(std::move(reachable)) {}

void model_leases::expect_reachable() const {
  if (reachable_ && !reachable_())
    throw journal_unavailable("the model has lost its database");
}

namespace {

/// A heartbeat that lies ahead by more than a lease is of a clock that was set back since, and as dead as an old one.
template <class Entry>
bool is_living(const Entry& entry, timestamp now, std::chrono::milliseconds grace = {}) {
  return entry.heartbeat_at + entry.lease + grace >= now && entry.heartbeat_at - entry.lease - grace <= now;
}

/// It is to hold no shards as long as others can.
template <class Entry>
bool gives(const Entry& entry) {
  return entry.record.draining || !entry.figures.lacks.empty();
}

} // namespace

/// The mutex is held.
bool model_leases::lives(const uuid& node) const {
  const auto found = database_->nodes_.find(node);
  return found != database_->nodes_.end() && is_living(found->second, database_->clock_());
}

/// The mutex is held.
bool model_leases::is_free(shard_number shard) const {
  const auto& owner = database_->shards_.at(shard).node;
  return !owner || !lives(*owner);
}

/// The mutex is held.
std::vector<uuid> model_leases::oldest_first() const {
  std::vector<uuid> ids;
  for (const auto& [id, each] : database_->nodes_)
    ids.push_back(id);
  const auto began = [this](const uuid& id) { return std::pair(database_->nodes_.at(id).started_at, id); };
  std::sort(ids.begin(), ids.end(), [&](const uuid& a, const uuid& b) { return began(a) < began(b); });
  return ids;
}

void model_leases::join(const node_record& node, std::chrono::milliseconds lease, const std::optional<uuid>& follows) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  const auto now = database_->clock_();
  std::vector<spoken_protocol> living;
  for (const auto& id : oldest_first())
    if (id != node.id && id != follows && lives(id))
      living.push_back(protocol_of(database_->nodes_.at(id).record));
  if (const auto reason = why_not_join(protocol_of(node), living))
    throw join_refused(*reason);
  bool said = node.draining;
  if (const auto former = follows ? database_->nodes_.find(*follows) : database_->nodes_.end();
      former != database_->nodes_.end()) {
    said = former->second.record.draining;
    database_->nodes_.erase(former);
  }
  const auto [known, fresh] = database_->nodes_.try_emplace(node.id);
  auto& entry = known->second;
  const bool draining = fresh ? said : entry.record.draining;
  entry.record = node;
  entry.record.draining = draining;
  entry.figures.lacks = node.lacks;
  entry.lease = lease;
  if (fresh)
    entry.started_at = now;
  entry.heartbeat_at = now;
}

bool model_leases::heartbeat(const uuid& node, const node_figures& figures) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  const auto found = database_->nodes_.find(node);
  if (found == database_->nodes_.end())
    return false;
  found->second.heartbeat_at = database_->clock_();
  found->second.figures = figures;
  return true;
}

shard_share model_leases::share(const uuid& node) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  if (!lives(node))
    return {};
  shard_share share;
  size_t rank_of_all = 0;
  size_t rank = 0;
  size_t taking = 0;
  const auto& self = database_->nodes_.at(node);
  for (const auto& [id, each] : database_->nodes_) {
    if (!lives(id)) {
      ++share.nodes_expired;
      continue;
    }
    const bool older = std::tie(each.started_at, id) < std::tie(self.started_at, node);
    ++share.nodes_living;
    rank_of_all += older ? 1 : 0;
    if (gives(each))
      continue;
    ++taking;
    rank += older ? 1 : 0;
  }
  share.draining = self.record.draining;
  share.all_drain = taking == 0;
  if (share.all_drain)
    share.fair = fair_share(rank_of_all, share.nodes_living);
  else if (!gives(self))
    share.fair = fair_share(rank, taking);
  for (size_t i = 0; i < shard_count; ++i)
    share.free += is_free(static_cast<shard_number>(i)) ? 1 : 0;
  return share;
}

cluster_view model_leases::view() {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  const auto now = database_->clock_();
  const auto since = [now](timestamp then) { return std::chrono::floor<std::chrono::milliseconds>(now - then); };
  cluster_view all;
  for (const auto& id : oldest_first()) {
    const auto& entry = database_->nodes_.at(id);
    const auto& record = entry.record;
    node_view node{
      id,
      record.name,
      record.address,
      record.cluster_address,
      record.version,
      record.protocol_min,
      record.protocol_max,
      record.schema_version,
      record.draining,
      lives(id),
      0,
      since(entry.heartbeat_at),
      since(entry.started_at),
      entry.figures};
    for (size_t i = 0; i < shard_count; ++i) {
      if (database_->shards_[i].node != id)
        continue;
      all.owners[i] = id;
      ++node.shards;
    }
    all.nodes.push_back(std::move(node));
  }
  return all;
}

bool model_leases::set_draining(const uuid& node, bool draining) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  const auto found = database_->nodes_.find(node);
  if (found == database_->nodes_.end())
    return false;
  found->second.record.draining = draining;
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
  return std::erase_if(database_->nodes_, [&](const auto& each) { return !is_living(each.second, now, age); });
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

bool model_leases::give_back_run_numbers(int64_t first, int64_t end) {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  if (database_->next_run_number_ != end || first > end)
    return false;
  database_->next_run_number_ = first;
  return true;
}

std::vector<workflow_version> model_leases::unfinished_workflows() {
  expect_reachable();
  const std::lock_guard lock(database_->mutex_);
  std::set<workflow_version> found;
  for (const auto& [id, row] : database_->rows_)
    if (!is_ended(row.status) && !row.workflow.empty())
      found.insert({row.workflow, row.workflow_version});
  return {found.begin(), found.end()};
}

} // namespace levain
