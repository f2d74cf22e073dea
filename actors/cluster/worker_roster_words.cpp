// What a roster makes of the words of its workers, and of their silence.
#include <algorithm>

#include <fmt/format.h>

#include "actors/cluster/worker_roster.hpp"
#include "actors/run_machine/plain_line.hpp"

namespace levain {

// ---- what workers say -------------------------------------------------------

bool worker_roster::is_late(const worker& who, uint64_t number) const {
  return number <= who.forgotten_up_to || who.dropped.contains(number);
}

std::string worker_roster::fault_of(const worker& who, uint64_t number) const {
  if (number > last_number_)
    return fmt::format("it speaks of call {}, and no call has that number", number);
  return fmt::format("it speaks of call {}, which is not out with '{}'", number, who.name);
}

worker_roster::call* worker_roster::find_given(seat who, uint64_t number) {
  const auto found = calls_.find(number);
  return found != calls_.end() && found->second.with == who ? &found->second : nullptr;
}

worker_roster::room* worker_roster::find_room(worker& whose, const std::string& kind) {
  const auto found = whose.rooms.find(kind);
  return found == whose.rooms.end() ? nullptr : &found->second;
}

worker_roster::word_taken worker_roster::take(seat who, const call_begun& x, timestamp now) {
  auto& worker = workers_.at(who);
  auto* given = find_given(who, x.number);
  if (!given)
    return is_late(worker, x.number) ? word_taken{} : word_taken{fault_of(worker, x.number)};
  if (given->begun)
    return {fmt::format("it begins call {} twice", x.number)};
  given->begun = true;
  watch(x.number, *given, now);
  arrived(worker, *given);
  return {};
}

worker_roster::word_taken worker_roster::take(seat who, const call_declined& x, timestamp now) {
  auto& worker = workers_.at(who);
  auto* given = find_given(who, x.number);
  if (!given) {
    const auto late = worker.dropped.find(x.number);
    if (late != worker.dropped.end()) {
      if (auto* room = find_room(worker, late->second.kind))
        room->free = 0;
      forget_dropped(worker, late);
    } else if (!is_late(worker, x.number)) {
      return {fault_of(worker, x.number)};
    }
    return {};
  }
  if (given->begun)
    return {fmt::format("it declines call {}, which it has begun", x.number)};
  const auto kind = given->kind;
  arrived(worker, *given);
  // It says when there is room again.
  if (auto* room = find_room(worker, kind))
    room->free = 0;
  take_back(x.number);
  if (!give_to_holder(x.number, now)) {
    end_if_given_up(x.number);
    serve(kind, now);
  }
  return {};
}

worker_roster::word_taken worker_roster::take(seat who, const room_made& x, timestamp now) {
  auto& worker = workers_.at(who);
  auto* room = find_room(worker, x.kind);
  if (!room)
    return {fmt::format("it has room for calls of kind '{}', which it does not offer", x.kind)};
  if (x.free > room->at_once)
    return {
      fmt::format("it has room for {} calls of kind '{}', and offered {} at once", x.free, x.kind, room->at_once)};
  // Words arrive in order: what it had received when it said this, it has begun or declined before.
  room->free = x.free - std::min(x.free, room->on_the_way);
  if (!worker.leaving)
    serve(x.kind, now);
  return {};
}

worker_roster::word_taken worker_roster::take(seat who, const call_heartbeat& x, timestamp now) {
  auto& worker = workers_.at(who);
  auto* given = find_given(who, x.number);
  if (!given) {
    // One that was sent while the call ended is no fault.
    const bool is_over = x.number <= last_number_ && !calls_.contains(x.number);
    return is_over || is_late(worker, x.number) ? word_taken{} : word_taken{fault_of(worker, x.number)};
  }
  watch(x.number, *given, now);
  if (!x.progress.empty()) {
    given->progress = plain_line(x.progress, wire_progress_bytes_max);
    given->progress_at = now;
  }
  return {};
}

worker_roster::word_taken worker_roster::take(seat who, const call_ended& x, timestamp now) {
  auto& worker = workers_.at(who);
  auto* given = find_given(who, x.number);
  std::string kind;
  std::optional<uint64_t> ended;
  if (given) {
    if (x.key != given->request.idempotency_key || x.epoch != given->request.epoch)
      return {fmt::format(
        "it answers call {} with key '{}' under epoch {}, and was given key '{}' under epoch {}", x.number, x.key,
        x.epoch, given->request.idempotency_key, given->request.epoch)};
    kind = given->kind;
    ended = x.number;
    arrived(worker, *given);
    erase(x.number);
  } else if (const auto late = worker.dropped.find(x.number); late != worker.dropped.end()) {
    kind = late->second.kind;
    forget_dropped(worker, late);
  } else if (is_late(worker, x.number)) {
    return {};
  } else {
    return {fault_of(worker, x.number)};
  }
  // Its own word on its room may come seldom; if this is too much, it declines.
  if (auto* room = find_room(worker, kind))
    room->free = std::min(room->free + 1, room->at_once);
  if (!worker.leaving)
    serve(kind, now);
  return {{}, ended};
}

worker_roster::word_taken worker_roster::take(seat who, const calls_held& x, timestamp now) {
  if (!workers_.at(who).leaving)
    hold(who, x.held, now);
  return {};
}

worker_roster::word_taken worker_roster::take(seat who, const worker_leaving& /*nothing in it*/, timestamp /*now*/) {
  stop_offering(who);
  return {};
}

// ---- heartbeats -------------------------------------------------------------

void worker_roster::watch(uint64_t number, call& whose, timestamp heard_at) {
  unwatch(number, whose);
  whose.heard_at = heard_at;
  if (whose.heartbeat > duration(0))
    watched_.emplace(heard_at + whose.heartbeat, number);
}

void worker_roster::unwatch(uint64_t number, const call& whose) {
  watched_.erase({whose.heard_at + whose.heartbeat, number});
}

std::optional<timestamp> worker_roster::next_due() const {
  return watched_.empty() ? std::nullopt : std::optional(watched_.begin()->first);
}

std::vector<worker_roster::silent_call> worker_roster::take_silent(timestamp now) {
  std::vector<silent_call> found;
  while (!watched_.empty() && watched_.begin()->first <= now) {
    const auto number = watched_.begin()->second;
    const auto& silent = calls_.at(number);
    found.push_back({number, *silent.with, name_of(*silent.with), silent.heartbeat});
    drop(number);
  }
  return found;
}

} // namespace levain
