#include "actors/worker/gate_book.hpp"

#include <algorithm>

#include "actors/worker/worker_limits.hpp"

namespace levain {

gate_book::gate_book(
  const std::vector<wire_address>& given, backoff_options wait, std::chrono::milliseconds refused_pause)
  : wait_(wait)
  , refused_pause_(refused_pause) {
  for (const auto& each : given)
    places_.try_emplace(each, wait_).first->second.given = true;
}

std::vector<wire_address> gate_book::due(worker_moment now) {
  std::vector<wire_address> all;
  for (auto& [at, place] : places_)
    if (place.gate == 0 && !place.trying && place.due <= now) {
      place.trying = true;
      all.push_back(at);
    }
  return all;
}

std::optional<worker_moment> gate_book::next_due() const {
  std::optional<worker_moment> next;
  for (const auto& [at, place] : places_)
    if (place.gate == 0 && !place.trying && (!next || place.due < *next))
      next = place.due;
  return next;
}

void gate_book::opened(const wire_address& at, gate_number gate) {
  const auto found = places_.find(at);
  if (found == places_.end())
    return;
  auto& place = found->second;
  place.trying = false;
  place.gate = gate;
  place.wait.reset();
}

uint32_t gate_book::failed(const wire_address& at, worker_moment now, double random) {
  const auto found = places_.find(at);
  if (found == places_.end())
    return 0;
  auto& place = found->second;
  place.trying = false;
  place.due = now + place.wait.next(random);
  // With nobody connected the lists are as old as the last connection: then everybody known is worth a try.
  if (!place.given && place.wait.tries() >= gate_tries_max && !lists_.empty() && !is_listed(at)) {
    places_.erase(found);
    return 0;
  }
  return place.wait.tries();
}

void gate_book::refused(const wire_address& at, worker_moment now, double random) {
  if (const auto found = places_.find(at); found != places_.end())
    wait_after_refusal(found->second, now, random);
}

void gate_book::lost(gate_number gate, worker_moment now, double random, bool slowly) {
  lists_.erase(gate);
  for (auto& [at, place] : places_) {
    if (place.gate != gate)
      continue;
    place.gate = 0;
    if (slowly)
      wait_after_refusal(place, now, random);
    else
      place.due = now + place.wait.next(random);
  }
}

void gate_book::list(gate_number from, const std::vector<wire_address>& gates, worker_moment now) {
  lists_[from] = {gates.begin(), gates.end()};
  for (const auto& each : gates)
    if (places_.size() < gates_known_max)
      if (const auto [at, is_new] = places_.try_emplace(each, wait_); is_new)
        at->second.due = now;
}

bool gate_book::is_listed(const wire_address& at) const {
  return std::any_of(lists_.begin(), lists_.end(), [&at](const auto& list) { return list.second.contains(at); });
}

void gate_book::wait_after_refusal(place& at, worker_moment now, double random) const {
  at.trying = false;
  const auto stray = 1.0 + wait_.jitter * (2.0 * random - 1.0);
  at.due = now + std::chrono::duration_cast<std::chrono::milliseconds>(refused_pause_ * stray);
}

} // namespace levain
