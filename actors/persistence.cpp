#include "actors/persistence.hpp"

#include "persistence/log_quoted.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <set>
#include <spdlog/spdlog.h>

namespace levain {

namespace {

/// What an event takes beside its body, for the batch's limit in bytes.
constexpr size_t event_bytes_about = 64;

/// Between two tries of a run whose row or key others have locked.
constexpr std::chrono::milliseconds held_up_retry_interval{1'000};

} // namespace

persistence_state::persistence_state(persistence_actor::pointer self)
  : self_(self) {}

void persistence_state::begin(
  std::unique_ptr<journal> store, persistence_options options, std::function<timestamp()> now,
  std::function<uuid_entropy()> entropy, std::shared_ptr<persistence_status> status,
  std::function<void(shard_lease)> on_fenced) {
  store_ = std::move(store);
  options_ = options;
  now_ = std::move(now);
  entropy_ = std::move(entropy);
  status_ = std::move(status);
  backlog_place_ = status_->backlog.enlist();
  outage_place_ = status_->outage.enlist();
  on_fenced_ = std::move(on_fenced);
}

void persistence_state::add(append_events&& x, const caf::strong_actor_ptr& sender) {
  const auto run = x.append.run;
  if (const auto who = caf::actor_cast<caf::actor_addr>(sender); rejected_.contains(who)) {
    if (!x.after_rejection)
      return; // It was on its way when the run was rejected; the run will decide anew.
    forget_rejection(who);
  }
  if (const auto held = held_up_.find(run); held != held_up_.end()) {
    // Behind what waits for the lock.
    held->second.parts.push_back(part{std::move(x), sender, now_()});
    ++parts_waiting_;
    report_waiting();
    return;
  }
  auto& mine = waiting_[run];
  if (mine.parts.empty())
    turns_.push(run, x.tenant);
  mine.parts.push_back(part{std::move(x), sender, now_()});
  if (++parts_waiting_ == 1 && batch_.empty())
    status_->backlog.set_oldest(backlog_place_, mine.parts.back().arrived_at);
  report_waiting();
  schedule_write();
}

void persistence_state::schedule_write() {
  if (write_scheduled_)
    return;
  write_scheduled_ = true;
  // Behind everything that is in the mailbox now: what arrived during the last commit joins the next batch.
  self_->send(self_, write_next{});
}

run_append persistence_state::merge(const std::deque<part>& parts) {
  run_append all = parts.front().what.append;
  for (size_t i = 1; i < parts.size(); ++i) {
    const auto& next = parts[i].what.append;
    all.events.insert(all.events.end(), next.events.begin(), next.events.end());
    if (!next.update)
      continue;
    if (all.insert)
      all.insert = next.update;
    else
      all.update = next.update;
  }
  return all;
}

void persistence_state::gather() {
  size_t bytes = 0;
  std::vector<run_id> again;
  turns_.begin_batch(options_.batch_runs_max);
  while (batch_.size() < options_.batch_runs_max && bytes < options_.batch_bytes_max) {
    const auto next = turns_.next();
    if (!next)
      break;
    const auto& run = *next;
    auto found = waiting_.find(run);
    // Its line was taken or dropped since; or its one part for this batch is already in.
    if (found == waiting_.end() || std::find(again.begin(), again.end(), run) != again.end())
      continue;
    auto& line = found->second.parts;
    std::deque<part> taken;
    const bool one_by_one = separately_.contains(run);
    // What an actor of an earlier ownership left behind is to be fenced, so it shares no append with its successor's.
    const auto epoch = line.front().what.append.epoch;
    do {
      taken.push_back(std::move(line.front()));
      line.pop_front();
    } while (!one_by_one && !line.empty() && line.front().what.append.epoch == epoch);
    if (line.empty()) {
      waiting_.erase(found);
      separately_.erase(run);
    } else {
      again.push_back(run);
    }
    parts_waiting_ -= taken.size();
    // Most runs have one part: it moves, several are merged.
    batch_.push_back(taken.size() == 1 ? std::move(taken.front().what.append) : merge(taken));
    batch_parts_.push_back(std::move(taken));
    for (const auto& fact : batch_.back().events)
      bytes += fact.body.size() + event_bytes_about;
  }
  for (const auto& run : again)
    turns_.push(run, waiting_.at(run).parts.front().what.tenant);
}

append_answer persistence_state::append_measured() {
  size_t events = 0;
  for (const auto& each : batch_)
    events += each.events.size();
  const auto began = now_();
  auto answered = store_->append(batch_);
  if (answered.status == append_answer::status_type::done) {
    status_->batch_runs.add(batch_.size());
    status_->batch_events.add(events);
    // A clock that was set back meanwhile measures nothing.
    status_->commit_micros.add(static_cast<uint64_t>(std::max(now_() - began, duration(0)).count()));
  }
  return answered;
}

void persistence_state::write() {
  write_scheduled_ = false;
  try_held_up_again();
  // Lines that were dropped since have turns too, and may have a whole batch's.
  while (batch_.empty() && !waiting_.empty())
    gather();
  if (batch_.empty()) {
    finish_drains();
    return;
  }
  append_answer answered;
  if (in_doubt_) {
    auto found = store_->resolve(batch_);
    if (!found.resolved) {
      wait_for_database(found.answer.reason);
      return;
    }
    in_doubt_ = false;
    answered = std::move(found.answer);
    if (answered.status == append_answer::status_type::transient) {
      // Known not to be written: write it, now.
      schedule_write();
      return;
    }
  } else {
    answered = append_measured();
  }
  switch (answered.status) {
  case append_answer::status_type::done:
    database_is_back();
    settle(answered);
    break;
  case append_answer::status_type::in_doubt:
    in_doubt_ = true;
    wait_for_database(answered.reason);
    return;
  case append_answer::status_type::transient:
    wait_for_database(answered.reason);
    return;
  }
  if (!waiting_.empty() || !batch_.empty())
    schedule_write();
  else
    finish_drains();
}

void persistence_state::settle(const append_answer& answered) {
  status_->batches.fetch_add(1, std::memory_order_relaxed);
  status_->appends.fetch_add(batch_.size(), std::memory_order_relaxed);
  std::set<std::pair<shard_number, epoch_number>> fenced;
  for (size_t i = 0; i < batch_.size(); ++i) {
    const auto& outcome = answered.outcomes[i];
    if (const auto* bad = std::get_if<append_rejected>(&outcome)) {
      settle_rejected(i, bad->reason);
      continue;
    }
    if (const auto* locked = std::get_if<append_held_up>(&outcome)) {
      settle_held_up(i, locked->reason);
      continue;
    }
    status_->held_up.remove(batch_[i].run);
    if (std::holds_alternative<append_fenced>(outcome))
      fenced.emplace(shard_of(batch_[i].run), batch_[i].epoch);
    status_->events.fetch_add(batch_[i].events.size(), std::memory_order_relaxed);
    auto& parts = batch_parts_[i];
    // One part's content was moved into the batch: its number is read from there.
    if (parts.size() == 1)
      parts.front().what.append.events.swap(batch_[i].events);
    for (const auto& each : parts)
      answer(each, outcome);
  }
  batch_.clear();
  batch_parts_.clear();
  status_->backlog.set_oldest(backlog_place_, oldest_arrival());
  report_waiting();
  tell_the_settled();
  if (on_fenced_)
    for (const auto& [shard, epoch] : fenced)
      on_fenced_({shard, epoch});
}

std::optional<timestamp> persistence_state::oldest_arrival() const {
  std::optional<timestamp> oldest;
  for (const auto& run : turns_.fronts())
    if (const auto line = waiting_.find(run); line != waiting_.end()) {
      const auto arrived = line->second.parts.front().arrived_at;
      oldest = oldest ? std::min(*oldest, arrived) : arrived;
    }
  return oldest;
}

void persistence_state::report_waiting() {
  // What has gone makes a difference that wraps around, as unsigned numbers may.
  status_->waiting.fetch_add(parts_waiting_ - std::exchange(parts_reported_, parts_waiting_));
}

void persistence_state::settle_held_up(size_t index, const std::string& reason) {
  const auto run = batch_[index].run;
  if (!status_->held_up.contains(run))
    spdlog::warn("append_held_up run={} reason={}", to_string(run), log_quoted(reason));
  status_->held_up.put(run, reason);
  auto& parts = batch_parts_[index];
  // One part's content was moved into the batch.
  if (parts.size() == 1)
    parts.front().what.append = std::move(batch_[index]);
  auto& held = held_up_[run];
  held.parts = std::move(parts);
  parts_waiting_ += held.parts.size();
  if (const auto later = waiting_.find(run); later != waiting_.end()) {
    auto& line = later->second.parts;
    held.parts.insert(held.parts.end(), std::make_move_iterator(line.begin()), std::make_move_iterator(line.end()));
    waiting_.erase(later);
  }
  held.due = self_->clock().now() + held_up_retry_interval;
  self_->delayed_send(self_, held_up_retry_interval, write_next{});
}

void persistence_state::try_held_up_again() {
  for (auto held = held_up_.begin(); held != held_up_.end();) {
    if (held->second.due > self_->clock().now()) {
      ++held;
      continue;
    }
    turns_.push(held->first, held->second.parts.front().what.tenant);
    waiting_[held->first].parts = std::move(held->second.parts);
    held = held_up_.erase(held);
  }
}

void persistence_state::settle_rejected(size_t index, const std::string& reason) {
  auto& parts = batch_parts_[index];
  const auto run = batch_[index].run;
  if (parts.size() > 1) {
    // One of several is to blame: each goes in a batch of its own, in order, until the guilty one is alone.
    auto& line = waiting_[run].parts;
    parts_waiting_ += parts.size();
    line.insert(line.begin(), std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
    turns_.push(run, line.front().what.tenant);
    separately_.insert(run);
    return;
  }
  status_->held_up.remove(run);
  spdlog::warn("append_rejected run={} reason={}", to_string(run), log_quoted(reason));
  remember_rejection(parts.front().from);
  // What the same actor sent since is built on what was rejected.
  if (auto later = waiting_.find(run); later != waiting_.end()) {
    const auto& from = parts.front().from;
    parts_waiting_ -= std::erase_if(later->second.parts, [&](const part& each) { return each.from == from; });
    if (later->second.parts.empty()) {
      waiting_.erase(later);
      separately_.erase(run);
    }
  }
  parts.front().what.append.events.swap(batch_[index].events);
  answer(parts.front(), append_rejected{reason});
}

void persistence_state::remember_rejection(const caf::strong_actor_ptr& who) {
  if (!who || !rejected_.insert(caf::actor_cast<caf::actor_addr>(who)).second)
    return;
  status_->rejections_open.fetch_add(1);
  // Its farewell comes behind everything that it sent.
  self_->monitor(who);
}

void persistence_state::forget_rejection(const caf::actor_addr& who) {
  if (rejected_.erase(who) == 0)
    return;
  status_->rejections_open.fetch_sub(1);
  self_->demonitor(who);
}

void persistence_state::answer(const part& to, const append_outcome& outcome) {
  const auto& events = to.what.append.events;
  append_answered said{events.empty() ? 0 : events.back().seq, outcome};
  if (auto run = caf::actor_cast<run_actor>(to.from))
    self_->send(run, std::move(said));
}

void persistence_state::wait_for_database(const std::string& reason) {
  if (status_->outage.begin(outage_place_, now_(), reason))
    spdlog::warn("database_unavailable reason={}", log_quoted(reason));
  retry_interval_ = retry_interval_.count() == 0 ? options_.retry_interval_initial
                                                 : std::min(retry_interval_ * 2, options_.retry_interval_max);
  // Between half and the whole of it, so that many writers do not come back together.
  const double share = 0.5 + 0.5 * static_cast<double>(entropy_().low >> 11) * 0x1p-53;
  const auto wait = std::chrono::duration_cast<duration>(retry_interval_ * share);
  write_scheduled_ = true;
  self_->delayed_send(self_, wait, write_next{});
}

void persistence_state::database_is_back() {
  retry_interval_ = std::chrono::milliseconds(0);
  if (status_->outage.end(outage_place_))
    spdlog::info("database_available");
}

caf::result<drained> persistence_state::drain_all() {
  auto promise = self_->make_response_promise<drained>();
  drains_.push_back(promise);
  schedule_write();
  return promise;
}

void persistence_state::tell_when_settled(const settle_run& x, const caf::strong_actor_ptr& who) {
  settling_.emplace_back(x.run, who);
  tell_the_settled();
}

void persistence_state::tell_the_settled() {
  std::erase_if(settling_, [&](const auto& each) {
    const auto& run = each.first;
    const auto& who = each.second;
    const bool written =
      std::any_of(batch_.begin(), batch_.end(), [&](const run_append& append) { return append.run == run; });
    if (written || waiting_.contains(run) || held_up_.contains(run))
      return false;
    if (who)
      caf::anon_send(caf::actor_cast<caf::actor>(who), run_settled{run});
    return true;
  });
}

void persistence_state::finish_drains() {
  if (!held_up_.empty())
    return;
  for (auto& promise : drains_)
    promise.deliver(drained{});
  drains_.clear();
}

persistence_actor::behavior_type persistence(
  persistence_actor::stateful_pointer<persistence_state> self, std::unique_ptr<journal> store,
  persistence_options options, std::function<timestamp()> now, std::function<uuid_entropy()> entropy,
  std::shared_ptr<persistence_status> status, std::function<void(shard_lease)> on_fenced) {
  self->state.begin(
    std::move(store), options, std::move(now), std::move(entropy), std::move(status), std::move(on_fenced));
  self->set_down_handler([self](const caf::down_msg& down) { self->state.forget_rejection(down.source); });
  return {
    [self](append_events& x) { self->state.add(std::move(x), self->current_sender()); },
    [self](const drain&) { return self->state.drain_all(); },
    [self](const settle_run& x) { self->state.tell_when_settled(x, self->current_sender()); },
    [self](const write_next&) { self->state.write(); },
  };
}

} // namespace levain
