#include "tests/simulation/auditor/bench_ledger.hpp"

#include <algorithm>

namespace levain::simulation {

namespace {

/// How long a result is kept that was sent, and one that nobody took.
constexpr duration sent_kept = std::chrono::seconds(10);
constexpr duration result_kept = std::chrono::minutes(10);

std::string shown(const place& who) {
  return "worker " + std::to_string(who.node - first_worker) + "." + std::to_string(who.life);
}

std::string shown(const std::string& key, uint32_t attempt) {
  return key + ", attempt " + std::to_string(attempt);
}

} // namespace

// ---- who is there -----------------------------------------------------------

void bench_ledger::changed(const worker_changed& x) {
  if (x.change == worker_change::killed) {
    benches_.erase(x.who);
    return;
  }
  auto& at = benches_[x.who];
  for (const auto& each : x.offers)
    at.offers[each.kind] = each.at_once;
  if (x.change == worker_change::leaves)
    at.leaving = true;
  if (x.change == worker_change::paused || x.change == worker_change::resumed)
    at.stands_still = x.change == worker_change::paused;
}

void bench_ledger::changed(const link_changed& x) {
  const auto found = benches_.find(x.worker);
  if (x.at_node || found == benches_.end())
    return;
  connections_[x.connection] = x.worker;
  auto& at = found->second;
  std::erase_if(at.arrived, [&](const auto& each) { return each.first.first == x.connection; });
  std::erase_if(at.waits, [&](const auto& each) { return each.second.connection == x.connection; });
  // Its node may have died with it.
  for (auto& [key, each] : at.results)
    if (each.sent_on == x.connection && x.at < each.kept_until) {
      each.sent_on = 0;
      each.kept_until = x.at + result_kept;
    }
}

// ---- words ------------------------------------------------------------------

void bench_ledger::passed(const word_passed& x) {
  const auto whose = connections_.find(x.connection);
  if (whose == connections_.end())
    return;
  const auto found = benches_.find(whose->second);
  if (found == benches_.end())
    return;
  const bool by_node = x.what == word_kind::given || x.what == word_kind::dropped;
  if (by_node && x.heard)
    heard(found->second, x);
  else if (!by_node && !x.heard)
    said(found->first, found->second, x);
}

void bench_ledger::heard(bench& at, const word_passed& x) {
  if (x.what == word_kind::given) {
    at.arrived[{x.connection, x.number}] = {x.connection, x.number, x.epoch, x.key, x.attempt};
    return;
  }
  at.arrived.erase({x.connection, x.number});
  for (auto each = at.waits.begin(); each != at.waits.end(); ++each)
    if (each->second.connection == x.connection && each->second.number == x.number) {
      // One that has returned and was not answered yet counts for nothing either; what moves counts for the next owner.
      if (x.moves) {
        at.waits.erase(each);
        return;
      }
      if (const auto work = at.works.find(each->first); work != at.works.end())
        work->second.dropped = true;
      else
        at.results.erase(each->first);
      at.waits.erase(each);
      return;
    }
}

void bench_ledger::said(const place& who, bench& at, const word_passed& x) {
  const auto call = at.arrived.find({x.connection, x.number});
  if (x.what == word_kind::ended)
    answer(who, at, x);
  else if (x.what == word_kind::declined && call != at.arrived.end())
    at.arrived.erase(call);
  else if (x.what == word_kind::begun && call != at.arrived.end())
    join(at, call->second);
}

/// Of several callers the one with the highest epoch gets the answer, and of those the last.
void bench_ledger::join(bench& at, const caller& x) {
  const auto before = at.waits.find(x.key);
  if (before == at.waits.end() || before->second.epoch <= x.epoch)
    at.waits[x.key] = x;
}

void bench_ledger::answer(const place& who, bench& at, const word_passed& x) {
  const auto call = at.arrived.extract({x.connection, x.number});
  if (call.empty())
    return;
  const auto& asked = call.mapped();
  const auto waits = at.waits.find(asked.key);
  if (waits != at.waits.end() && waits->second.epoch > asked.epoch)
    accuse_(
      rule::youngest_is_answered, std::nullopt,
      shown(who) + " answers " + shown(asked.key, asked.attempt) + " to epoch " + std::to_string(asked.epoch) +
        ", and epoch " + std::to_string(waits->second.epoch) + " has asked");
  const auto& returned = at.returned[asked.key];
  const bool worked = std::any_of(returned.begin(), returned.end(), [&](const result& each) {
    // A success is one for every attempt; a failure is its own attempt's.
    return each.succeeded == x.succeeded && each.text == x.result && (x.succeeded || each.attempt == asked.attempt);
  });
  const bool held_up = !x.succeeded && x.result.starts_with("an earlier try at this step held the worker");
  if (!worked && !held_up)
    accuse_(
      rule::answer_is_worked, std::nullopt,
      shown(who) + " answers " + shown(asked.key, asked.attempt) +
        " what no function returned: " + x.result.substr(0, 100));
  if (waits != at.waits.end() && waits->second.connection == x.connection && waits->second.number == x.number)
    at.waits.erase(waits);
  if (const auto kept = at.results.find(asked.key); kept != at.results.end() && kept->second.text == x.result) {
    kept->second.sent_on = x.connection;
    kept->second.kept_until = x.at + sent_kept;
  }
}

// ---- functions --------------------------------------------------------------

void bench_ledger::begun(const work_begun& x) {
  auto& at = benches_[x.who];
  const auto what = shown(x.who) + " begins " + shown(x.key, x.attempt);
  if (at.works.contains(x.key))
    accuse_(rule::work_apart, std::nullopt, what + ", and does this key already");
  const auto waits = at.waits.find(x.key);
  if (waits == at.waits.end() || waits->second.attempt != x.attempt)
    accuse_(rule::work_is_given, std::nullopt, what + ", and nobody waits for it");
  if (const auto kept = at.results.find(x.key); kept != at.results.end()) {
    if (kept->second.succeeded && kept->second.attempt == x.attempt && x.at < kept->second.kept_until)
      accuse_(rule::result_is_kept, std::nullopt, what + " again, and had it done");
    at.results.erase(kept);
  }
  at.works[x.key] = {x.work, x.kind, x.attempt, false, false};
  const auto busy =
    std::count_if(at.works.begin(), at.works.end(), [&](const auto& each) { return each.second.kind == x.kind; });
  if (busy > static_cast<int64_t>(at.offers[x.kind]))
    accuse_(
      rule::slots_kept, std::nullopt,
      what + ", the " + std::to_string(busy) + "th of " + x.kind + " at once, and offers " +
        std::to_string(at.offers[x.kind]));
}

std::pair<const place, bench_ledger::bench>* bench_ledger::doing(uint64_t work_number, std::string& key) {
  for (auto& each : benches_)
    for (const auto& [name, work] : each.second.works)
      if (work.number == work_number) {
        key = name;
        return &each;
      }
  return nullptr;
}

void bench_ledger::cancelled(const work_cancelled& x) {
  std::string key;
  if (auto* found = doing(x.work, key))
    found->second.works.at(key).cancelled = true;
}

void bench_ledger::ended(const work_ended& x) {
  std::string key;
  auto* found = doing(x.work, key);
  if (found == nullptr)
    return;
  auto& at = found->second;
  const auto work = at.works.extract(key).mapped();
  result came_to{work.attempt, x.succeeded, x.result, 0, x.at + result_kept};
  at.returned[key].push_back(came_to);
  // What is done for nobody counts for nothing.
  if (!work.cancelled && !work.dropped)
    at.results[key] = came_to;
}

void bench_ledger::rest() {
  for (const auto& [who, at] : benches_) {
    if (at.stands_still)
      continue;
    for (const auto& [key, work] : at.works)
      if (work.dropped && !work.cancelled)
        accuse_(
          rule::dropped_is_told, std::nullopt,
          shown(who) + " does " + shown(key, work.attempt) + ", which was dropped, and its function does not know it");
    for (const auto& [key, waits] : at.waits)
      if (!at.works.contains(key) && !at.leaving)
        accuse_(
          rule::begun_is_ended, std::nullopt,
          shown(who) + " has begun " + shown(key, waits.attempt) + ", and neither does nor answers it");
  }
}

} // namespace levain::simulation
