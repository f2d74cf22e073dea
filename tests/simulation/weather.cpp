#include "tests/simulation/weather.hpp"

#include <algorithm>

namespace levain::simulation {

weather::weather(const plan& from, timestamp begin)
  : begin_(begin) {
  for (const auto& each : from.items) {
    if (const auto* outage = std::get_if<outage_item>(&each))
      outages_.push_back(*outage);
    else if (const auto* slow = std::get_if<slow_item>(&each))
      slow_.push_back(*slow);
    else if (const auto* hold = std::get_if<hold_item>(&each))
      holds_.push_back(*hold);
    else if (const auto* commit = std::get_if<commit_item>(&each))
      commits_.push_back(*commit);
    else if (const auto* cut = std::get_if<cut_item>(&each))
      cuts_.push_back(*cut);
  }
  const auto add = [&](const auto& items) {
    for (const auto& each : items) {
      changes_.push_back(when(each.at));
      changes_.push_back(when(each.at + each.span));
    }
  };
  add(outages_);
  add(slow_);
  add(holds_);
  add(cuts_);
  std::sort(changes_.begin(), changes_.end());
}

bool weather::is_out(int node, connection_kind connection, bool reads, timestamp now) const {
  return std::any_of(outages_.begin(), outages_.end(), [&](const outage_item& each) {
    if (!lasts(each, node, now))
      return false;
    switch (each.kind) {
    case outage_kind::everything:
      return true;
    case outage_kind::writes:
      return connection == connection_kind::writer && !reads;
    case outage_kind::reads:
      return reads;
    case outage_kind::leases:
      return connection == connection_kind::leases;
    case outage_kind::lease_answers:
      return false;
    }
    return false;
  });
}

bool weather::loses_lease_answers(int node, timestamp now) const {
  return std::any_of(outages_.begin(), outages_.end(), [&](const outage_item& each) {
    return each.kind == outage_kind::lease_answers && lasts(each, node, now);
  });
}

std::optional<cut_kind> weather::cut_between(int node, int other, timestamp now) const {
  for (const auto& each : cuts_) {
    const bool these = each.worker == no_worker &&
                       ((each.node == node && each.other == other) || (each.node == other && each.other == node));
    if (these && when(each.at) <= now && now < when(each.at + each.span))
      return each.kind;
  }
  return std::nullopt;
}

std::optional<cut_kind> weather::cut_to_worker(int worker, int node, timestamp now) const {
  for (const auto& each : cuts_)
    if (each.worker == worker && each.node == node && when(each.at) <= now && now < when(each.at + each.span))
      return each.kind;
  return std::nullopt;
}

duration weather::delay(int node, connection_kind connection, timestamp now) const {
  duration longest{};
  for (const auto& each : slow_)
    if (each.connection == connection && lasts(each, node, now))
      longest = std::max(longest, each.delay);
  return longest;
}

bool weather::holds(int node, held_actor actor, timestamp now) const {
  return std::any_of(
    holds_.begin(), holds_.end(), [&](const hold_item& each) { return each.actor == actor && lasts(each, node, now); });
}

std::optional<commit_fault> weather::next_commit_fault(int node, timestamp now) {
  for (auto& each : commits_)
    if (each.node == node && each.count > 0 && when(each.at) <= now) {
      --each.count;
      return each.fault;
    }
  return std::nullopt;
}

std::optional<timestamp> weather::next_change(timestamp now) const {
  const auto next = std::upper_bound(changes_.begin(), changes_.end(), now);
  return next == changes_.end() ? std::nullopt : std::optional(*next);
}

void weather::clear_up() {
  outages_.clear();
  slow_.clear();
  holds_.clear();
  commits_.clear();
  cuts_.clear();
  changes_.clear();
}

} // namespace levain::simulation
