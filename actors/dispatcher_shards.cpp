// What the dispatcher does with whole shards: takes them up, hands them over, loses them.
#include <algorithm>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/dispatcher.hpp"
#include "actors/run.hpp"

namespace levain {

// ---- taking up --------------------------------------------------------------

void dispatcher_state::adopt_one(recovered_run& found) {
  const auto id = found.state->plan.run;
  if (live_.contains(id))
    return;
  const auto tenant = found.state->plan.tenant;
  const bool running = found.state->phase != run_phase::pending;
  const auto cost = static_cast<int64_t>(found.state->steps.size());
  const auto priority = parse_run_priority(found.state->plan.priority).value_or(run_priority::normal);
  run_beginning how;
  how.memory = memory_for(*found.state->workflow, found.state->plan);
  how.recovered = std::move(found.state);
  how.mend_row = found.row_lags;
  how.row_is_current = found.row_is_current;
  if (running)
    queue_->occupy(tenant);
  else
    queue_->push(id, tenant, priority, cost, environment_->steady());
  spawn_run(tenant, running, std::move(how));
}

void dispatcher_state::adopt(adopt_runs& x) {
  std::vector<run_id> taken;
  for (auto& each : x.runs) {
    const auto run = each.state->plan.run;
    if (epoch_of(run) != each.epoch)
      continue; // The shard has been lost or handed over since the page was read.
    ++runs_recovered_;
    adopt_one(each);
    if (each.stopped || stopped_.contains(run))
      taken.push_back(run);
  }
  if (!taken.empty())
    take_up(taken);
  for (const auto& each : x.damaged)
    if (epoch_of(each.run) == each.epoch)
      stop_run(each.run, stop_kind::journal_damaged, each.damage);
  begin_waiting();
}

void dispatcher_state::taken(const shards_taken& x) {
  if (epochs_.size() == ready_.size())
    runs_recovered_ = 0;
  for (const auto& each : x.shards)
    epochs_[each.shard] = each.epoch;
  fetch_numbers();
  self_->send(environment_->recovery, x);
}

void dispatcher_state::recovered(const shards_recovered& x) {
  for (const auto& each : x.shards) {
    const auto owned = epochs_.find(each.shard);
    if (owned != epochs_.end() && owned->second == each.epoch)
      ready_.push_back(each);
  }
}

// ---- giving up --------------------------------------------------------------

void dispatcher_state::hand_over(const hand_over_shards& x) {
  for (const auto& each : x.shards) {
    epochs_.erase(each.shard);
    std::erase(ready_, each);
    leaving_[each.shard] = {each.epoch, 0};
  }
  self_->send(environment_->recovery, forget_shards{x.shards});
  const hand_over_run order{environment_->steady() + options_.handover_grace};
  for (const auto& [id, each] : live_) {
    // Runs of shards that were leaving already know it, and are counted.
    const auto goes = [shard = shard_of(id)](const shard_lease& leaving) { return leaving.shard == shard; };
    if (std::none_of(x.shards.begin(), x.shards.end(), goes))
      continue;
    ++leaving_.at(shard_of(id)).runs;
    if (!each.running)
      queue_->remove(id); // Its turn comes elsewhere.
    self_->send(each.actor, order);
  }
  show_figures();
  vacate_empty();
}

void dispatcher_state::run_has_gone(const run_id& run) {
  const auto shard = leaving_.find(shard_of(run));
  if (shard == leaving_.end())
    return;
  --shard->second.runs;
  vacate_empty();
}

void dispatcher_state::vacate_empty() {
  shards_vacated x;
  for (const auto& [shard, each] : leaving_)
    if (each.runs == 0)
      x.shards.push_back({shard, each.epoch});
  if (x.shards.empty())
    return;
  for (const auto& each : x.shards)
    leaving_.erase(each.shard);
  self_->send(lease_keeper_, std::move(x));
}

void dispatcher_state::lost() {
  if (admitting_) {
    spdlog::warn("shards_lost runs={}", live_.size());
    ++times_fenced_;
    fenced_at_ = environment_->now();
  }
  for (auto& [id, each] : live_)
    self_->send(each.actor, leave_run{});
  live_.clear();
  by_address_.clear();
  ready_.clear();
  epochs_.clear();
  leaving_.clear();
  stopped_.clear();
  self_->send(environment_->recovery, shards_lost{});
  queue_ = empty_queue();
  start_numberless();
  show_figures();
}

} // namespace levain
