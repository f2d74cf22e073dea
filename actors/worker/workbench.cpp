#include "actors/worker/workbench.hpp"

#include <algorithm>

#include "actors/worker/worker_limits.hpp"

namespace levain {

namespace {

worker_moment end_of(const call_given& call, worker_moment now) {
  return now + std::chrono::milliseconds(call.time_left);
}

} // namespace

workbench::workbench(std::chrono::milliseconds result_kept_max)
  : kept_({kept_results_max, kept_result_bytes_max, result_kept_max})
  , sent_({kept_results_max, kept_result_bytes_max, std::min(result_kept_max, sent_result_doubt)}) {}

void workbench::offer(const std::string& kind, uint32_t at_once) {
  kinds_[kind] = {.at_once = at_once};
}

std::vector<wire_offer> workbench::offers() const {
  std::vector<wire_offer> all;
  for (const auto& [kind, slots] : kinds_)
    all.push_back({kind, slots.at_once});
  return all;
}

// ---- gates ------------------------------------------------------------------

void workbench::gate_opened(gate_number gate, size_t told, worker_moment now) {
  gates_.insert(gate);
  if (leaving_) {
    say(gate, worker_leaving{});
    return;
  }
  for (const auto& [kind, slots] : kinds_)
    say(gate, room_made{kind, free_of(slots)});
  say_held(gate, held(now), told);
}

void workbench::gate_lost(gate_number gate, worker_moment now) {
  gates_.erase(gate);
  while (true) {
    const auto reserved = reserved_.lower_bound({gate, 0});
    if (reserved == reserved_.end() || reserved->first.first != gate)
      break;
    unreserve(call_name(reserved->first));
  }
  std::vector<held_call> orphans;
  for (auto& [number, at] : works_) {
    if (!at.waits || at.waits->gate != gate)
      continue;
    forget_caller(at);
    at.next.reset();
    if (!at.dropped)
      orphans.push_back({at.key, at.attempt});
  }
  for (auto& each : sent_.take_from(gate, now)) {
    orphans.push_back({each.key, each.attempt});
    each.gate = 0;
    each.at = now;
    kept_.keep(std::move(each));
  }
  for (const auto other : gates_)
    say_held(other, orphans, 0);
}

void workbench::say_held(gate_number gate, const std::vector<held_call>& held, size_t from) {
  for (; from < held.size(); from += held_calls_told_max) {
    const auto count = std::min(held_calls_told_max, held.size() - from);
    const auto begin = held.begin() + static_cast<ptrdiff_t>(from);
    say(gate, calls_held{{begin, begin + static_cast<ptrdiff_t>(count)}});
  }
}

std::vector<held_call> workbench::held(worker_moment now) {
  auto all = kept_.held(now);
  for (const auto& [number, at] : works_)
    if (!at.waits && !at.dropped)
      all.push_back({at.key, at.attempt});
  return all;
}

// ---- calls ------------------------------------------------------------------

bool workbench::reserve(gate_number gate, const call_given& call, worker_moment now) {
  const auto kind = kinds_.find(call.kind);
  const bool has_room = kind != kinds_.end() && free_of(kind->second) > 0;
  const bool is_known =
    by_key_.contains(call.key) || kept_.find(call.key, call.attempt, now) || sent_.find(call.key, call.attempt, now);
  if (leaving_ || (!has_room && !is_known)) {
    decline(gate, call);
    return false;
  }
  if (has_room && reserved_.try_emplace({gate, call.number}, call.kind).second)
    if (++kind->second.taken == kind->second.at_once)
      room_moved_.insert(call.kind);
  return true;
}

void workbench::withdraw(gate_number gate, const call_given& call) {
  unreserve({gate, call.number});
  decline(gate, call);
}

void workbench::unreserve(const call_name& call) {
  const auto found = reserved_.find(call);
  if (found == reserved_.end())
    return;
  release(found->second);
  reserved_.erase(found);
}

std::optional<std::string> workbench::give(gate_number gate, arrived_call call, worker_moment now) {
  const auto& given = call.given;
  unreserve({gate, given.number});
  if (by_call_.contains({gate, given.number}))
    return "the call " + std::to_string(given.number) + " is given although it is out";
  if (leaving_) {
    decline(gate, given);
    return std::nullopt;
  }
  if (const auto found = by_key_.find(given.key); found != by_key_.end()) {
    auto& at = works_.at(found->second);
    if (at.kind != given.kind)
      return "the key '" + given.key + "' is given for two kinds, '" + at.kind + "' and '" + given.kind + "'";
    join(found->second, at, gate, std::move(call), now);
    return std::nullopt;
  }
  auto known = kept_.find(given.key, given.attempt, now);
  if (!known)
    known = sent_.find(given.key, given.attempt, now);
  if (known) {
    kept_.forget(given.key);
    say(gate, call_begun{given.number});
    say_ended({gate, given.number, given.epoch}, given.key, *known);
    keep(gate, given.key, given.attempt, std::move(*known), now);
    return std::nullopt;
  }
  const auto kind = kinds_.find(given.kind);
  if (kind == kinds_.end() || free_of(kind->second) == 0) {
    decline(gate, given);
    return std::nullopt;
  }
  if (++kind->second.taken == kind->second.at_once)
    room_moved_.insert(given.kind);
  say(gate, call_begun{given.number});
  const caller waits{gate, given.number, given.epoch};
  const auto deadline = end_of(given, now);
  begin(std::move(call), waits, deadline);
  return std::nullopt;
}

void workbench::decline(gate_number gate, const call_given& call) {
  if (kinds_.contains(call.kind))
    room_moved_.insert(call.kind);
  say(gate, call_declined{call.number});
}

/// Its slot is taken already.
void workbench::begin(arrived_call call, const caller& waits, worker_moment deadline) {
  const auto number = ++last_work_;
  const auto& given = call.given;
  auto& at = works_[number];
  at.kind = given.kind;
  at.key = given.key;
  at.attempt = given.attempt;
  at.deadline = deadline;
  at.waits = waits;
  by_key_[given.key] = number;
  by_call_[{waits.gate, waits.number}] = number;
  // What is known of earlier attempts is out of date now.
  kept_.forget(given.key);
  sent_.forget(given.key);
  effects_.emplace_back(begin_work{number, std::move(call), deadline});
}

void workbench::join(work_number number, work& at, gate_number gate, arrived_call call, worker_moment now) {
  const auto& given = call.given;
  if (at.waits && at.waits->epoch > given.epoch) {
    // The run has had a younger owner since, and this one will soon see. Declined, it would give it here again and
    // again.
    say(gate, call_begun{given.number});
    return;
  }
  forget_caller(at);
  at.next.reset();
  wait_for(number, at, gate, given);
  const auto ends = end_of(given, now);
  if (!at.dropped && at.deadline > now) {
    at.deadline = std::max(at.deadline, ends);
    effects_.emplace_back(extend_work{number, at.deadline});
    // The failure of an earlier attempt would be no answer to this one.
    if (given.attempt != at.attempt)
      at.next = next_call{std::move(call), ends};
    return;
  }
  if (!std::exchange(at.dropped, true))
    effects_.emplace_back(cancel_work{number});
  at.next = next_call{std::move(call), ends};
}

void workbench::wait_for(work_number number, work& at, gate_number gate, const call_given& call) {
  at.waits = caller{gate, call.number, call.epoch};
  by_call_[{gate, call.number}] = number;
  say(gate, call_begun{call.number});
}

void workbench::forget_caller(work& at) {
  if (at.waits)
    by_call_.erase({at.waits->gate, at.waits->number});
  at.waits.reset();
}

void workbench::drop(gate_number gate, uint64_t number, bool moves) {
  const auto found = by_call_.find({gate, number});
  // It may have ended while this was on its way.
  if (found == by_call_.end())
    return;
  const auto work = found->second;
  auto& at = works_.at(work);
  forget_caller(at);
  at.next.reset();
  if (moves) {
    if (!at.dropped)
      for (const auto each : gates_)
        say_held(each, {{at.key, at.attempt}}, 0);
    return;
  }
  if (!std::exchange(at.dropped, true))
    effects_.emplace_back(cancel_work{work});
}

void workbench::cancel(gate_number gate, uint64_t number) {
  const auto found = by_call_.find({gate, number});
  // It may have ended while this was on its way.
  if (found == by_call_.end())
    return;
  const auto& at = works_.at(found->second);
  if (!at.dropped && at.waits && at.waits->gate == gate && at.waits->number == number)
    effects_.emplace_back(cancel_work{found->second});
}

// ---- work -------------------------------------------------------------------

void workbench::beat(work_number number, const std::string& progress, worker_moment now) {
  const auto found = works_.find(number);
  if (found == works_.end() || found->second.dropped)
    return;
  auto& at = found->second;
  // A heartbeat without words does not take those away that wait.
  if (!progress.empty() || !at.words)
    at.words = progress;
  const auto due = at.beat_at + call_heartbeat_interval;
  if (due <= now)
    say_beat(number, at, now);
  else
    beats_due_.emplace(due, number);
}

void workbench::say_beat(work_number number, work& at, worker_moment now) {
  beats_due_.erase({at.beat_at + call_heartbeat_interval, number});
  at.beat_at = now;
  if (at.waits && at.words)
    say(at.waits->gate, call_heartbeat{at.waits->number, *at.words});
  at.words.reset();
}

void workbench::finish(work_number number, work_result result, worker_moment now) {
  const auto found = works_.find(number);
  if (found == works_.end())
    return;
  auto at = std::move(found->second);
  works_.erase(found);
  by_key_.erase(at.key);
  beats_due_.erase({at.beat_at + call_heartbeat_interval, number});
  const auto waits = at.waits;
  forget_caller(at);
  if (at.handed_back && !result.succeeded) {
    // Its node gives it to another worker when this one is gone.
    release(at.kind);
    return;
  }
  if (at.next && (at.dropped || !result.succeeded)) {
    begin_next(std::move(*at.next), *waits, now);
    return;
  }
  release(at.kind);
  if (at.dropped)
    return;
  if (waits)
    say_ended(*waits, at.key, result);
  keep(waits ? waits->gate : 0, at.key, at.attempt, std::move(result), now);
}

void workbench::release(const std::string& kind) {
  --kinds_.at(kind).taken;
  room_moved_.insert(kind);
}

/// The slot goes from what has returned to this one.
void workbench::begin_next(next_call next, const caller& waits, worker_moment now) {
  if (next.deadline > now) {
    begin(std::move(next.call), waits, next.deadline);
    return;
  }
  const auto& given = next.call.given;
  release(given.kind);
  say_ended(
    waits, given.key, {.text = "an earlier try at this step held the worker until the time was over", .retry = true});
}

void workbench::say_ended(const caller& to, const std::string& key, const work_result& result) {
  say(
    to.gate, call_ended{
               .number = to.number,
               .epoch = to.epoch,
               .key = key,
               .succeeded = result.succeeded,
               .result = result.text,
               .retry = result.retry,
               .retry_after = result.retry_after});
}

void workbench::keep(
  gate_number gate, const std::string& key, uint32_t attempt, work_result result, worker_moment now) {
  auto& place = gate == 0 ? kept_ : sent_;
  place.keep({key, attempt, gate, std::move(result), now});
}

// ---- leaving, time and room -------------------------------------------------

void workbench::leave() {
  if (std::exchange(leaving_, true))
    return;
  for (const auto gate : gates_)
    say(gate, worker_leaving{});
}

void workbench::cancel_all() {
  for (auto& [number, at] : works_) {
    at.handed_back = true;
    effects_.emplace_back(cancel_work{number});
  }
}

void workbench::pass(worker_moment now) {
  while (!beats_due_.empty() && beats_due_.begin()->first <= now) {
    const auto number = beats_due_.begin()->second;
    say_beat(number, works_.at(number), now);
  }
}

std::optional<worker_moment> workbench::next_due() const {
  if (beats_due_.empty())
    return std::nullopt;
  return beats_due_.begin()->first;
}

void workbench::tell_room() {
  for (const auto& kind : std::exchange(room_moved_, {}))
    for (const auto gate : gates_)
      say(gate, room_made{kind, leaving_ ? 0 : free_of(kinds_.at(kind))});
}

} // namespace levain
