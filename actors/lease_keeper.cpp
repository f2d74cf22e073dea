#include "actors/lease_keeper.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

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
  try {
    renew();
    take();
    give_numbers();
  } catch (const journal_unavailable& failure) {
    // The lease may run out meanwhile. That is no harm: what another node takes is fenced, what nobody takes stays
    // ours.
    spdlog::warn("lease_waits reason=\"{}\"", failure.what());
  }
  self_->delayed_send(self_, with_.options.heartbeat_interval, beat{});
}

void lease_state::renew() {
  if (!joined_) {
    with_.node.id = with_.mint();
    with_.store->join(with_.node, with_.options.lease_duration);
    joined_ = true;
    spdlog::info("node_joined node={} name=\"{}\"", to_string(with_.node.id), with_.node.name);
    return;
  }
  if (!with_.store->heartbeat(with_.node.id) || !still_ours()) {
    lost();
    renew();
  }
}

bool lease_state::still_ours() const {
  const auto now_owned = with_.store->owned(with_.node.id);
  return std::all_of(owned_.begin(), owned_.end(), [&](const shard_lease& mine) {
    return std::find(now_owned.begin(), now_owned.end(), mine) != now_owned.end();
  });
}

void lease_state::take() {
  auto taken = with_.store->take(with_.node.id, shard_count - owned_.size(), with_.sole && owned_.empty());
  if (taken.empty())
    return;
  spdlog::info("shards_taken count={} node={}", taken.size(), to_string(with_.node.id));
  owned_.insert(owned_.end(), taken.begin(), taken.end());
  self_->send(dispatcher_, shards_taken{std::move(taken)});
}

void lease_state::lost() {
  if (!joined_)
    return;
  // Whoever lost one shard may have lost them all: stop everything, come back as a new node.
  spdlog::warn("node_fenced node={} shards={}", to_string(with_.node.id), owned_.size());
  self_->send(dispatcher_, shards_lost{});
  owned_.clear();
  joined_ = false;
  try {
    with_.store->leave(with_.node.id);
  } catch (const journal_unavailable&) {
    // The old node's lease runs out by itself.
  }
}

void lease_state::reserve(const caf::strong_actor_ptr& from) {
  numbers_for_ = caf::actor_cast<dispatcher_actor>(from);
  try {
    give_numbers();
  } catch (const journal_unavailable& failure) {
    spdlog::warn("run_numbers_wait reason=\"{}\"", failure.what());
  }
}

void lease_state::give_numbers() {
  if (!numbers_for_)
    return;
  const auto first = with_.store->reserve_run_numbers(with_.numbers_block);
  self_->send(numbers_for_, numbers_reserved{first, with_.numbers_block});
  numbers_for_ = nullptr;
}

void lease_state::leave() {
  if (std::exchange(left_, true) || !joined_)
    return;
  try {
    with_.store->leave(with_.node.id);
    spdlog::info("node_left node={}", to_string(with_.node.id));
  } catch (const journal_unavailable& failure) {
    spdlog::warn("node_leave_failed reason=\"{}\"; its lease runs out by itself", failure.what());
  }
}

lease_keeper_actor::behavior_type
lease_keeper(lease_keeper_actor::stateful_pointer<lease_state> self, lease_beginning how) {
  self->state.begin(std::move(how));
  return {
    [self](const beat&) { self->state.tick(self->current_sender()); },
    [self](const reserve_numbers&) { self->state.reserve(self->current_sender()); },
    [self](const shards_lost&) { self->state.lost(); },
    [self](const drain&) {
      self->state.leave();
      return drained{};
    },
  };
}

} // namespace levain
