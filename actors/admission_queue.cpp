#include "actors/admission_queue.hpp"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>

namespace levain {

std::string_view to_string(run_priority priority) {
  constexpr std::array<std::string_view, run_priority_count> names{"critical", "high", "normal"};
  return names[static_cast<size_t>(priority)];
}

std::optional<run_priority> parse_run_priority(std::string_view text) {
  for (int i = 0; i < run_priority_count; ++i)
    if (to_string(static_cast<run_priority>(i)) == text)
      return static_cast<run_priority>(i);
  return std::nullopt;
}

admission_queue::admission_queue(limits bounds)
  : limits_(bounds) {
  assert(limits_.quantum > 0);
}

void admission_queue::push(
  const run_id& run, const tenant_id& tenant, run_priority priority, int64_t cost, timestamp now) {
  assert(!waiting_.contains(run));
  enqueue(priority, entry{run, tenant, std::max<int64_t>(cost, 1), now});
}

void admission_queue::enqueue(run_priority priority, const entry& who) {
  auto& in = classes_[static_cast<size_t>(priority)];
  auto& own = in.tenants[who.tenant];
  if (own.waiting.empty())
    in.turns.push_back(who.tenant);
  if (priority != run_priority::critical)
    in.arrivals.emplace_back(who.since, who.run);
  own.waiting.push_back(who);
  ++in.count;
  waiting_.insert_or_assign(who.run, place{priority, who.tenant, std::prev(own.waiting.end())});
}

admission_queue::entry admission_queue::take(std::unordered_map<run_id, place>::iterator found) {
  const auto where = found->second;
  auto& in = classes_[static_cast<size_t>(where.priority)];
  auto own = in.tenants.find(where.tenant);
  entry who = *where.position;
  own->second.waiting.erase(where.position);
  --in.count;
  if (own->second.waiting.empty()) {
    in.tenants.erase(own);
    in.turns.erase(std::find(in.turns.begin(), in.turns.end(), where.tenant));
  }
  // The arrival stays behind and is passed over later; it goes when it comes to the front.
  waiting_.erase(found);
  return who;
}

bool admission_queue::remove(const run_id& run) {
  auto found = waiting_.find(run);
  if (found == waiting_.end())
    return false;
  take(found);
  return true;
}

bool admission_queue::tenant_has_slot(const tenant_id& tenant) const {
  auto found = running_by_tenant_.find(tenant);
  return (found == running_by_tenant_.end() ? 0 : found->second) < limits_.running_per_tenant_max;
}

void admission_queue::begin(const tenant_id& tenant) {
  ++running_by_tenant_[tenant];
  ++running_;
}

bool admission_queue::try_begin(const tenant_id& tenant) {
  if (!waiting_.empty() || running_ >= limits_.running_max || !tenant_has_slot(tenant))
    return false;
  begin(tenant);
  return true;
}

void admission_queue::occupy(const tenant_id& tenant) {
  begin(tenant);
}

void admission_queue::release(const tenant_id& tenant) {
  auto found = running_by_tenant_.find(tenant);
  assert(found != running_by_tenant_.end() && running_ > 0);
  if (--found->second == 0)
    running_by_tenant_.erase(found);
  --running_;
}

void admission_queue::move_up_the_aged(timestamp now) {
  for (auto priority : {run_priority::high, run_priority::normal}) {
    auto& in = classes_[static_cast<size_t>(priority)];
    while (!in.arrivals.empty()) {
      const auto [since, run] = in.arrivals.front();
      auto found = waiting_.find(run);
      const bool stale =
        found == waiting_.end() || found->second.priority != priority || found->second.position->since != since;
      if (!stale && since + limits_.ageing_interval > now)
        break;
      in.arrivals.pop_front();
      if (stale)
        continue;
      auto who = take(found);
      who.since = now;
      enqueue(static_cast<run_priority>(static_cast<int>(priority) - 1), who);
    }
  }
}

std::optional<timestamp> admission_queue::next_ageing() const {
  std::optional<timestamp> next;
  for (auto priority : {run_priority::high, run_priority::normal}) {
    const auto& in = classes_[static_cast<size_t>(priority)];
    if (in.count == 0)
      continue;
    const auto due = in.arrivals.front().first + limits_.ageing_interval;
    next = next ? std::min(*next, due) : due;
  }
  return next;
}

std::optional<run_id> admission_queue::pop(timestamp now) {
  if (running_ >= limits_.running_max)
    return std::nullopt;
  move_up_the_aged(now);
  for (auto& from : classes_)
    if (auto run = pop_from(from))
      return run;
  return std::nullopt;
}

std::optional<run_id> admission_queue::pop_from(priority_class& from) {
  // Tenants at their limit are passed over and keep their place; one whole round of them means nobody can begin.
  size_t passed_over = 0;
  while (passed_over < from.turns.size()) {
    const auto tenant = from.turns.front();
    auto& own = from.tenants.at(tenant);
    const auto end_turn = [&] {
      own.credited = false;
      from.turns.push_back(tenant);
      from.turns.pop_front();
    };
    if (!tenant_has_slot(tenant)) {
      end_turn();
      ++passed_over;
      continue;
    }
    if (!own.credited) {
      own.deficit += limits_.quantum;
      own.credited = true;
    }
    const auto& next = own.waiting.front();
    if (own.deficit < next.cost) {
      // Its turns add up until the run is affordable, so this ends.
      end_turn();
      passed_over = 0;
      continue;
    }
    own.deficit -= next.cost;
    const auto run = next.run;
    take(waiting_.find(run));
    begin(tenant);
    return run;
  }
  return std::nullopt;
}

std::string admission_queue::why_waiting(const run_id& run) const {
  auto found = waiting_.find(run);
  if (found == waiting_.end())
    return {};
  const auto& where = found->second;
  if (!tenant_has_slot(where.tenant))
    return fmt::format(
      "tenant {} runs as many as it may at the same time (runs_running_per_tenant_max = {})", to_string(where.tenant),
      limits_.running_per_tenant_max);
  size_t before = 0;
  for (int i = 0; i <= static_cast<int>(where.priority); ++i)
    before += classes_[i].count;
  return fmt::format(
    "the node runs {} of {} runs at the same time (runs_running_max); {} wait at priority {} or above", running_,
    limits_.running_max, before, to_string(where.priority));
}

} // namespace levain
