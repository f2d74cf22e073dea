#include "tests/simulation/auditor/memory_ledger.hpp"

#include <algorithm>

#include "tests/simulation/auditor/ownership.hpp"

namespace levain::simulation {

void memory_ledger::changed(const process_changed& x) {
  if (x.change == process_change::booted)
    nodes_.insert(x.who.node);
  if (x.change == process_change::killed)
    std::erase_if(calls_, [&](const auto& each) { return each.second.from == x.who; });
  // What it has of its runs is read back by and by.
  if (x.change == process_change::killed || x.change == process_change::fenced)
    std::erase_if(runs_, [&](const auto& each) { return each.second.by == x.who; });
}

void memory_ledger::made(const call_made& x) {
  std::erase_if(calls_, [&](const auto& each) { return each.second.deadline && *each.second.deadline <= x.at; });
  const bool for_workers = !x.kind.empty();
  calls_[x.call] = {x.from, x.body.size(), for_workers ? std::nullopt : std::optional(x.at + x.timeout)};
  const auto budget = budgets_.find(x.from);
  if (budget == budgets_.end())
    return;
  uint64_t all = 0;
  uint64_t largest = 0;
  for (const auto& [call, out] : calls_) {
    if (out.from != x.from)
      continue;
    all += out.bytes;
    largest = std::max(largest, out.bytes);
  }
  // One call goes beyond what is allowed, or one that is larger would never be made.
  if (all - largest > budget->second.calls_bytes_max)
    accuse_(
      rule::calls_in_memory, x.run,
      to_string(x.from) + " has calls of " + std::to_string(all) + " bytes out, the largest of " +
        std::to_string(largest) + "; it may have " + std::to_string(budget->second.calls_bytes_max));
}

void memory_ledger::over(uint64_t call) {
  calls_.erase(call);
}

void memory_ledger::written(const run_written& x, const event_record& event, const event_told& told) {
  if (is_terminal(event.kind))
    forget(x.run);
  if (event.kind != event_kind::run_accepted || event.seq != 1)
    return;
  uint64_t bytes = told.body.contains("input") ? told.body.at("input").dump().size() : 0;
  uint64_t others = 0;
  for (const auto& [run, live] : runs_)
    if (live.by == x.by)
      others += live.bytes;
  runs_[x.run] = {x.by, bytes};
  const auto budget = budgets_.find(x.by);
  if (budget == budgets_.end() || nodes_.size() > 1 || others == 0)
    return;
  if (others + bytes > budget->second.runs_bytes_max)
    accuse_(
      rule::runs_in_memory, x.run,
      to_string(x.by) + " accepts a run of " + std::to_string(bytes) + " bytes beside others of " +
        std::to_string(others) + "; together they may have " + std::to_string(budget->second.runs_bytes_max));
}

} // namespace levain::simulation
