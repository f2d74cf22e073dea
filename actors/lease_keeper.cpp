#include "actors/lease_keeper.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <spdlog/spdlog.h>

#include "persistence/journal.hpp"
#include "persistence/log_quoted.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

lease_state::lease_state(lease_keeper_actor::pointer self)
  : self_(self) {}

void lease_state::begin(lease_beginning how) {
  with_ = std::move(how);
}

void lease_state::tick(const caf::strong_actor_ptr& from) {
  if (left_)
    return;
  if (!dispatcher_)
    dispatcher_ = caf::actor_cast<dispatcher_actor>(from);
  look(1);
  if (!left_)
    self_->delayed_send(self_, with_.options.heartbeat_interval, beat{});
}

/// Everything that is done at a heartbeat. `beats` is 0 when it comes out of turn.
void lease_state::look(uint32_t beats) {
  if (left_ || !dispatcher_)
    return;
  bool renewed = false;
  if (with_.asking)
    with_.asking();
  try {
    renew();
    renewed = true;
    if (with_.answered)
      with_.answered(std::nullopt);
    look_for_lacks();
    release_vacated();
    balance(beats);
    give_numbers();
    if (with_.stands)
      with_.stands(with_.node.draining, lacks_);
    if (with_.viewed)
      with_.viewed(with_.store->view(), with_.node.id);
  } catch (const journal_unavailable& failure) {
    // The lease may run out meanwhile. That is no harm: what another node takes is fenced, what nobody takes stays
    // ours.
    spdlog::warn("lease_waits reason={}", log_quoted(failure.what()));
    // What comes after the heartbeat may wait for a lock, and says nothing of the database.
    if (!renewed && with_.answered)
      with_.answered(failure.what());
  } catch (const join_refused& refusal) {
    left_ = true;
    spdlog::critical("join_refused reason={}", log_quoted(refusal.what()));
    if (with_.refused)
      with_.refused(refusal.what());
  }
}

void lease_state::look_closely() {
  const bool looking = close_looks_left_ > 0;
  const auto& options = with_.options;
  close_looks_left_ = (options.lease_duration + options.close_look_margin) / options.close_look_interval;
  if (!looking)
    look_closer();
}

void lease_state::look_closer() {
  if (close_looks_left_ == 0)
    return;
  look(0);
  if (--close_looks_left_ > 0)
    self_->delayed_send(self_, with_.options.close_look_interval, levain::look_closer{});
}

void lease_state::look_soon() {
  // However many ask: they all mean the same look.
  if (!std::exchange(looks_soon_, true))
    self_->send(self_, levain::look_again{});
}

void lease_state::look_again() {
  looks_soon_ = false;
  look(0);
}

// ---- the lease --------------------------------------------------------------

void lease_state::renew() {
  auto figures = with_.figures ? with_.figures() : node_figures{};
  figures.lacks = lacks_;
  if (joined_ && with_.store->heartbeat(with_.node.id, figures) && still_ours()) {
    if (address_is_new_)
      join();
    return;
  }
  lost();
  if (!std::exchange(minted_, true))
    with_.node.id = with_.mint();
  // Before others count on this one.
  look_for_lacks();
  join();
  joined_ = true;
  spdlog::info("node_joined node={} name={}", to_string(with_.node.id), log_quoted(with_.node.name));
  if (ending_)
    with_.store->set_draining(with_.node.id, true);
}

void lease_state::join() {
  with_.node.lacks = lacks_;
  with_.store->join(with_.node, with_.options.lease_duration, follows_);
  follows_.reset();
  address_is_new_ = false;
}

bool lease_state::still_ours() {
  const auto owned = with_.store->owned(with_.node.id);
  std::vector<shard_lease> unknown;
  size_t known = 0;
  for (const auto& each : owned) {
    const auto found = shards_.find(each.shard);
    if (found == shards_.end())
      unknown.push_back(each);
    else if (found->second.epoch == each.epoch)
      ++known;
  }
  std::erase_if(shards_, [&](const auto& each) {
    return each.second.phase == held_shard::phase_type::releasing &&
           std::find(owned.begin(), owned.end(), shard_lease{each.first, each.second.epoch}) == owned.end();
  });
  if (known < shards_.size())
    return false;
  // Taken by a transaction whose answer was lost: nobody acts for them but us.
  if (!unknown.empty())
    hold(std::move(unknown));
  return true;
}

void lease_state::announce(const announce_address& x) {
  with_.node.address = x.address;
  address_is_new_ = joined_;
}

void lease_state::announce(const announce_gate& x) {
  with_.node.cluster_address = x.cluster_address;
  with_.node.protocol_min = x.protocol_min;
  with_.node.protocol_max = x.protocol_max;
  address_is_new_ = joined_;
}

void lease_state::fenced(const shard_fenced& x) {
  // What was written for a shard that has been let go since is of no concern.
  const auto found = shards_.find(x.shard.shard);
  if (found == shards_.end() || found->second.epoch != x.shard.epoch)
    return;
  lost();
  look_soon();
}

void lease_state::lost() {
  if (!joined_)
    return;
  // Only a lease that ran out is taken from, so whoever lost one shard is about to lose them all: stop everything, come
  // back as a new node.
  spdlog::warn("node_fenced node={} shards={}", to_string(with_.node.id), shards_.size());
  self_->send(dispatcher_, shards_lost{});
  shards_.clear();
  surplus_beats_ = 0;
  joined_ = false;
  if (ending_)
    tell_handed_over("");
  // What was said of the node that it was goes for the one that it becomes, up to the moment at which that one joins.
  follows_ = with_.node.id;
  minted_ = false;
}

// ---- what the node lacks -----------------------------------------------------

void lease_state::look_for_lacks() {
  if (with_.sole || !with_.lacking)
    return;
  const auto now = self_->clock().now();
  const bool wants = !lacks_known_ || !lacks_.empty() || (with_.calls_want && with_.calls_want());
  if (lacks_looked_at_ && (!wants || now - *lacks_looked_at_ < with_.options.lacks_look_interval))
    return;
  lacks_looked_at_ = now;
  std::string found;
  try {
    found = lacks_now();
    lacks_known_ = true;
  } catch (const journal_unavailable& failure) {
    // It keeps the node from nothing else: what its runs lack they wait for.
    spdlog::warn("lacks_not_looked_at reason={}", log_quoted(failure.what()));
    return;
  }
  if (!found.empty())
    lacked_at_ = now;
  else if (lacks_.empty() || now - lacked_at_ < with_.options.lacks_kept)
    return;
  if (found == lacks_)
    return;
  if (found.empty())
    spdlog::info("node_lacks_nothing name={}", log_quoted(with_.node.name));
  else
    spdlog::warn("node_lacks what={} hint=\"other nodes take its runs, if they have it\"", log_quoted(found));
  lacks_ = std::move(found);
}

/// In words, of all that unfinished runs need; empty when that is nothing.
std::string lease_state::lacks_now() {
  std::set<std::string> all;
  for (const auto& each : with_.store->unfinished_workflows()) {
    auto known = lacks_by_workflow_.find(each);
    if (known == lacks_by_workflow_.end())
      known = lacks_by_workflow_.emplace(each, with_.lacking(each)).first;
    all.insert(known->second.begin(), known->second.end());
  }
  const auto text = fmt::format("{}", fmt::join(all, ", "));
  return plain_line(text, node_lacks_bytes_max);
}

// ---- the share --------------------------------------------------------------

size_t lease_state::held_count() const {
  return static_cast<size_t>(std::count_if(
    shards_.begin(), shards_.end(), [](const auto& x) { return x.second.phase == held_shard::phase_type::held; }));
}

void lease_state::balance(uint32_t beats) {
  if (with_.sole) {
    if (!ending_ && shards_.size() < shard_count)
      take(shard_count - shards_.size());
    return;
  }
  const auto share = with_.store->share(with_.node.id);
  if (share.nodes_living == 0)
    return; // Its own lease ran out just now: the next heartbeat tells.
  with_.node.draining = share.draining;
  if (share.nodes_expired > 0)
    if (const auto count = with_.store->forget_expired(with_.options.node_forgotten_after); count > 0)
      spdlog::info("nodes_forgotten count={}", count);
  if (ending_) {
    give_all(share);
    return;
  }
  const auto held = held_count();
  if (held <= share.fair || share.all_drain)
    surplus_beats_ = 0;
  // Draining is a person's wish, and calls wait for what the node lacks: there is nothing to wait for.
  else if (surplus_beats_ += beats;
           share.draining || !lacks_.empty() || surplus_beats_ >= with_.options.surplus_beats_min)
    hand_over(held - share.fair);
  if (held < share.fair && share.free > 0)
    take(share.fair - held);
}

void lease_state::give_all(const shard_share& share) {
  if (const auto held = held_count(); held > 0 && !share.all_drain)
    hand_over(held);
  if (shards_.empty())
    tell_handed_over("");
  else if (share.all_drain)
    tell_handed_over("no other living node takes shards");
}

void lease_state::tell_handed_over(const std::string& reason) {
  for (const auto& tell : std::exchange(hand_over_told_, {}))
    tell({shards_.size(), reason});
}

void lease_state::take(size_t count) {
  hold(with_.store->take(with_.node.id, count, with_.sole && shards_.empty()));
}

void lease_state::hold(std::vector<shard_lease> taken) {
  if (taken.empty())
    return;
  spdlog::info("shards_taken count={} node={}", taken.size(), to_string(with_.node.id));
  for (const auto& each : taken)
    shards_[each.shard] = {each.epoch, held_shard::phase_type::held};
  self_->send(dispatcher_, shards_taken{std::move(taken)});
}

void lease_state::hand_over(size_t count) {
  hand_over_shards x;
  for (auto each = shards_.rbegin(); each != shards_.rend() && x.shards.size() < count; ++each) {
    if (each->second.phase != held_shard::phase_type::held)
      continue;
    each->second.phase = held_shard::phase_type::leaving;
    x.shards.push_back({each->first, each->second.epoch});
  }
  surplus_beats_ = 0;
  spdlog::info("shards_leaving count={} node={}", x.shards.size(), to_string(with_.node.id));
  self_->send(dispatcher_, std::move(x));
}

void lease_state::vacated(const shards_vacated& x) {
  for (const auto& each : x.shards) {
    const auto found = shards_.find(each.shard);
    if (found != shards_.end() && found->second.epoch == each.epoch)
      found->second.phase = held_shard::phase_type::vacated;
  }
  try {
    release_vacated();
  } catch (const journal_unavailable& failure) {
    spdlog::warn("release_waits reason={}", log_quoted(failure.what()));
  }
}

void lease_state::release_vacated() {
  std::vector<shard_lease> going;
  for (auto& [shard, each] : shards_) {
    if (each.phase != held_shard::phase_type::vacated && each.phase != held_shard::phase_type::releasing)
      continue;
    each.phase = held_shard::phase_type::releasing;
    going.push_back({shard, each.epoch});
  }
  if (going.empty())
    return;
  with_.store->release(with_.node.id, going);
  for (const auto& each : going)
    shards_.erase(each.shard);
  spdlog::info("shards_released count={} node={}", going.size(), to_string(with_.node.id));
  if (with_.released)
    with_.released();
  if (ending_ && shards_.empty())
    tell_handed_over("");
}

// ---- operators, and the end --------------------------------------------------

void lease_state::drain_one(const drain_node& x) {
  try {
    const bool known = with_.store->set_draining(x.node, x.draining);
    if (known)
      spdlog::info("node_draining node={} draining={}", to_string(x.node), x.draining);
    x.outcome(known);
  } catch (const journal_unavailable& failure) {
    x.outcome(std::string(failure.what()));
    return;
  }
  if (x.node == with_.node.id)
    look_soon();
}

void lease_state::end_in_order(hand_all_over& x) {
  hand_over_told_.push_back(std::move(x.outcome));
  ending_ = true;
  with_.node.draining = true;
  if (with_.sole) {
    tell_handed_over("the node is alone on its database");
    return;
  }
  try {
    with_.store->set_draining(with_.node.id, true);
  } catch (const journal_unavailable& failure) {
    tell_handed_over(std::string("the database cannot be asked: ") + failure.what());
    return;
  }
  look(0);
  if (shards_.empty())
    tell_handed_over("");
}

// ---- numbers, and leaving ---------------------------------------------------

void lease_state::reserve(const caf::strong_actor_ptr& from) {
  numbers_for_ = caf::actor_cast<dispatcher_actor>(from);
  try {
    give_numbers();
  } catch (const journal_unavailable& failure) {
    spdlog::warn("run_numbers_wait reason={}", log_quoted(failure.what()));
  }
}

void lease_state::give_numbers() {
  if (!numbers_for_)
    return;
  const auto count = numbers_given_ ? with_.numbers_block : std::min(with_.numbers_first_block, with_.numbers_block);
  const auto first = with_.store->reserve_run_numbers(count);
  numbers_given_ = true;
  self_->send(numbers_for_, numbers_reserved{first, count});
  numbers_for_ = nullptr;
}

void lease_state::give_back(const numbers_unused& x) {
  try {
    const bool given = with_.store->give_back_run_numbers(x.first, x.end);
    spdlog::info("run_numbers_unused count={} given_back={}", x.end - x.first, given);
  } catch (const journal_unavailable& failure) {
    spdlog::warn("run_numbers_kept count={} reason={}", x.end - x.first, log_quoted(failure.what()));
  }
}

void lease_state::leave() {
  tell_handed_over("the node leaves");
  if (std::exchange(left_, true))
    return;
  // As the database knows it; also by an id under which it may have joined without being told so.
  std::vector<uuid> ids;
  if (follows_)
    ids.push_back(*follows_);
  if (minted_)
    ids.push_back(with_.node.id);
  try {
    for (const auto& id : ids) {
      with_.store->leave(id);
      spdlog::info("node_left node={}", to_string(id));
    }
    if (!shards_.empty() && with_.released)
      with_.released();
  } catch (const journal_unavailable& failure) {
    spdlog::warn("node_leave_failed reason={}; its lease runs out by itself", log_quoted(failure.what()));
  }
}

lease_keeper_actor::behavior_type
lease_keeper(lease_keeper_actor::stateful_pointer<lease_state> self, lease_beginning how) {
  self->state.begin(std::move(how));
  return {
    [self](const beat&) { self->state.tick(self->current_sender()); },
    [self](const reserve_numbers&) { self->state.reserve(self->current_sender()); },
    [self](const numbers_unused& x) { self->state.give_back(x); },
    [self](const announce_address& x) { self->state.announce(x); },
    [self](const announce_gate& x) { self->state.announce(x); },
    [self](const shard_fenced& x) { self->state.fenced(x); },
    [self](const shards_vacated& x) { self->state.vacated(x); },
    [self](const drain_node& x) { self->state.drain_one(x); },
    [self](const look_closely&) { self->state.look_closely(); },
    [self](const shards_freed_elsewhere&) { self->state.look_soon(); },
    [self](const look_again&) { self->state.look_again(); },
    [self](const look_closer&) { self->state.look_closer(); },
    [self](hand_all_over& x) { self->state.end_in_order(x); },
    [self](const drain&) {
      self->state.leave();
      return drained{};
    },
  };
}

} // namespace levain
