#include "actors/worker/kept_results.hpp"

namespace levain {

void kept_results::keep(kept one) {
  forget(one.key);
  forget_old(one.at);
  const auto size = bytes_of(one);
  if (size > limits_.bytes_max || limits_.results_max == 0)
    return;
  while (order_.size() >= limits_.results_max || bytes_ + size > limits_.bytes_max)
    erase(order_.begin());
  bytes_ += size;
  order_.push_back(std::move(one));
  places_[order_.back().key] = std::prev(order_.end());
}

std::optional<work_result> kept_results::find(const std::string& key, uint32_t attempt, worker_moment now) {
  forget_old(now);
  const auto found = places_.find(key);
  if (found == places_.end() || found->second->attempt != attempt)
    return std::nullopt;
  return found->second->result;
}

void kept_results::forget(const std::string& key) {
  if (const auto found = places_.find(key); found != places_.end())
    erase(found->second);
}

std::vector<kept_results::kept> kept_results::take_from(gate_number gate, worker_moment now) {
  forget_old(now);
  std::vector<kept> taken;
  for (auto at = order_.begin(); at != order_.end();) {
    const auto next = std::next(at);
    if (at->gate == gate) {
      taken.push_back(*at);
      erase(at);
    }
    at = next;
  }
  return taken;
}

std::vector<held_call> kept_results::held(worker_moment now) {
  forget_old(now);
  std::vector<held_call> all;
  all.reserve(order_.size());
  for (const auto& each : order_)
    all.push_back({each.key, each.attempt});
  return all;
}

void kept_results::erase(place at) {
  bytes_ -= bytes_of(*at);
  places_.erase(at->key);
  order_.erase(at);
}

void kept_results::forget_old(worker_moment now) {
  while (!order_.empty() && order_.front().at + limits_.age_max <= now)
    erase(order_.begin());
}

} // namespace levain
