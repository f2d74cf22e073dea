#include "tests/simulation/auditor/ownership.hpp"

#include <algorithm>

namespace levain::simulation {

std::string to_string(const place& x) {
  return "node " + std::to_string(x.node) + "." + std::to_string(x.life);
}

void ownership::changed(const process_changed& x) {
  if (x.change == process_change::booted)
    lives_[x.who.node] = x.who.life;
  else if (x.change == process_change::killed)
    lives_.erase(x.who.node);
  else if (x.change == process_change::clock_moved)
    clock_moved_[x.who] = x.at;
}

bool ownership::clock_moved(const place& who, timestamp since) const {
  const auto found = clock_moved_.find(who);
  return found != clock_moved_.end() && found->second >= since;
}

bool ownership::lives(const place& who) const {
  const auto found = lives_.find(who.node);
  return found != lives_.end() && found->second == who.life;
}

std::optional<ownership::fault> ownership::owned(const shard_owned& x) {
  auto& shard = shards_.at(x.shard);
  std::optional<fault> found;
  const auto what =
    to_string(x.by) + " owns shard " + std::to_string(x.shard) + " under epoch " + std::to_string(x.epoch);
  if (x.epoch <= shard.epoch) {
    found = {rule::epoch_rises, what + ", which had the epoch " + std::to_string(shard.epoch)};
  } else if (!shard.free && !shard.periods.empty()) {
    const auto& before = shard.periods.back().who;
    const auto lease = leased_until_.find(shard.node);
    // A node that is alone in the world knows that its former life is dead and need not wait for its lease.
    const bool former_life = before.node == x.by.node && !lives(before);
    if (!former_life && lease != leased_until_.end() && x.at < lease->second)
      found = {
        rule::lease_kept,
        what + ", though the lease of " + to_string(before) + " lasts until " + to_rfc3339(lease->second)};
  }
  if (!shard.periods.empty() && !shard.periods.back().until)
    shard.periods.back().until = x.at;
  shard.periods.push_back({x.by, x.at, std::nullopt});
  shard.epoch = x.epoch;
  shard.node = x.node;
  shard.free = false;
  return found;
}

void ownership::freed(const shard_freed& x) {
  shards_.at(x.shard).free = true;
}

void ownership::renewed(const lease_renewed& x) {
  leased_until_[x.node] = x.at + x.lease;
  const auto former = renews_as_.find(x.by);
  // What was said of a node goes for it under its next id.
  if (former != renews_as_.end() && former->second != x.node)
    if (const auto marked = draining_.find(former->second); marked != draining_.end())
      draining_.try_emplace(x.node, marked->second);
  renews_as_[x.by] = x.node;
}

void ownership::marked(const node_marked& x) {
  draining_[x.node] = x.draining;
}

std::vector<ownership::fault> ownership::finish(timestamp at) const {
  struct node_end {
    place who;
    size_t shards = 0;
    bool takes = true;
  };
  std::map<uuid, node_end> living;
  for (const auto& [who, node] : renews_as_)
    if (lives(who) && leased_until_.at(node) >= at) {
      const auto marked = draining_.find(node);
      living[node] = {who, 0, marked == draining_.end() || !marked->second};
    }
  std::vector<fault> found;
  if (living.empty())
    return found;
  for (size_t i = 0; i < shards_.size(); ++i) {
    if (shards_[i].periods.empty())
      continue; // Nobody ever wanted it.
    const auto owner = shards_[i].free ? living.end() : living.find(shards_[i].node);
    if (owner == living.end())
      found.push_back({rule::shards_are_owned, "shard " + std::to_string(i) + " is nobody's"});
    else
      ++owner->second.shards;
  }
  const bool others = std::any_of(living.begin(), living.end(), [](const auto& x) { return x.second.takes; });
  std::erase_if(living, [&](const auto& each) {
    if (others && !each.second.takes && each.second.shards > 0)
      found.push_back(
        {rule::drained_is_empty,
         to_string(each.second.who) + " has " + std::to_string(each.second.shards) + " shards"});
    return !each.second.takes;
  });
  for (const auto& [node, each] : living)
    for (const auto& [other, fewer] : living)
      if (each.shards > fewer.shards + 1)
        found.push_back(
          {rule::shares_are_even, to_string(each.who) + " has " + std::to_string(each.shards) + " shards and " +
                                    to_string(fewer.who) + " " + std::to_string(fewer.shards)});
  return found;
}

bool ownership::may_write(const place& who, shard_number shard, epoch_number epoch) const {
  const auto& ledger = shards_.at(shard);
  return !ledger.periods.empty() && ledger.periods.back().who == who && ledger.epoch == epoch;
}

bool ownership::is_owner(const place& who, shard_number shard) const {
  const auto& periods = shards_.at(shard).periods;
  return !periods.empty() && periods.back().who == who;
}

size_t ownership::ownerships(const place& who, shard_number shard, timestamp since) const {
  const auto& periods = shards_.at(shard).periods;
  return static_cast<size_t>(std::count_if(periods.begin(), periods.end(), [&](const period& each) {
    return each.who == who && (!each.until || *each.until >= since);
  }));
}

} // namespace levain::simulation
