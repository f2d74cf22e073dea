#include "apps/load/run_ledger.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace levain::load {

namespace {

constexpr double micros_in_second = 1e6;

double seconds_of(duration span) {
  return static_cast<double>(span.count()) / micros_in_second;
}

/// Lines up in a list sorted by name.
std::string tenant_label(size_t index) {
  return fmt::format("tenant {:05}", index + 1);
}

} // namespace

std::string key_of(const start_ask& ask) {
  return fmt::format("load-{}", ask.number);
}

run_ledger::run_ledger(std::vector<tenant_id> tenants)
  : of_tenants_(std::min(tenants.size(), tenants_told_max))
  , of_priorities_(priority_names.size())
  , runs_of_tenants_(of_tenants_.size())
  , runs_of_priorities_(priority_names.size()) {
  for (size_t i = 0; i < tenants.size(); ++i)
    tenants_.emplace(tenants[i], static_cast<uint16_t>(i));
}

// ---- starts -----------------------------------------------------------------

start_ask run_ledger::ask_for(uint32_t ticket) const {
  const auto& which = slots_[ticket];
  return {ticket, which.number, which.tenant, which.priority, which.keyed};
}

start_ask run_ledger::open(uint64_t number, const mix_draw& drawn, bool keyed, duration intended, duration now) {
  uint32_t ticket = 0;
  if (free_.empty()) {
    ticket = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    ticket = free_.back();
    free_.pop_back();
  }
  auto& which = slots_[ticket];
  which = slot{};
  which.intended = intended;
  which.asked = now;
  which.number = number;
  which.tenant = drawn.tenant;
  which.priority = drawn.priority;
  which.keyed = keyed || drawn.repeated;
  which.answers_left = drawn.repeated ? 2 : 1;
  ++open_;
  unanswered_ += which.answers_left;
  if (!first_asked_)
    first_asked_ = now;
  return ask_for(ticket);
}

void run_ledger::acknowledged(uint32_t ticket, const run_id& run, bool repeated, duration now) {
  auto& which = slots_[ticket];
  --which.answers_left;
  --unanswered_;
  if (which.has_run) {
    // Asked twice: one run has to come of it, and one of the two answers has to say that it was there before.
    if (which.run != run || (!repeated && which.firsts > 0))
      ++duplicates_;
    which.firsts += repeated ? 0 : 1;
    return close_if_over(ticket);
  }
  which.has_run = true;
  which.run = run;
  which.firsts = repeated ? 0 : 1;
  ++acknowledged_;
  starts_.record(now - which.asked);
  if (const auto told = early_.find(run); told != early_.end()) {
    const auto early = told->second;
    early_.erase(told);
    count_ending(which, early.ending, false, early.at);
  } else {
    by_run_.emplace(run, ticket);
  }
  close_if_over(ticket);
}

void run_ledger::set_back(uint32_t ticket, const start_setback& setback, duration now) {
  auto& which = slots_[ticket];
  --which.answers_left;
  --unanswered_;
  ++(setback.refused ? refused_ : errors_)[setback.reason];
  ++(setback.refused ? refusals_ : failures_);
  // The other of two asks goes on, or has its run.
  if (which.answers_left > 0 || which.has_run)
    return close_if_over(ticket);
  const bool may_again = setback.next == start_setback::next_type::again ||
                         (setback.next == start_setback::next_type::unknown && which.keyed);
  if (may_again) {
    again_.push({now + setback.wait, ticket});
    return;
  }
  if (setback.next == start_setback::next_type::unknown)
    ++unresolved_;
  close(ticket);
}

std::optional<duration> run_ledger::next_again() const {
  return again_.empty() ? std::nullopt : std::optional(again_.top().due);
}

std::vector<start_ask> run_ledger::due_again(duration now, size_t limit) {
  std::vector<start_ask> asks;
  for (; !again_.empty() && again_.top().due <= now && asks.size() < limit; again_.pop()) {
    auto& which = slots_[again_.top().ticket];
    which.answers_left = 1;
    which.asked = now;
    ++unanswered_;
    asks.push_back(ask_for(again_.top().ticket));
  }
  return asks;
}

// ---- ends -------------------------------------------------------------------

void run_ledger::ended(const run_ending& ending, bool late, duration now) {
  if (!tenants_.contains(ending.tenant))
    return;
  const auto found = by_run_.find(ending.run);
  if (found == by_run_.end()) {
    // Its acknowledgement is on its way; nobody else starts runs of these tenants. What was looked up is known.
    if (unanswered_ > 0 && !late)
      early_.emplace(ending.run, early_ending{ending, now});
    return;
  }
  const auto ticket = found->second;
  by_run_.erase(found);
  count_ending(slots_[ticket], ending, late, now);
  close_if_over(ticket);
}

void run_ledger::count_ending(slot& which, const run_ending& ending, bool late, duration now) {
  which.ended = true;
  ++ended_;
  steps_ += ending.steps_succeeded;
  ++endings_[std::string(to_string(ending.status))];
  last_ended_ = std::max(last_ended_, now);
  if (which.tenant < of_tenants_.size())
    ++runs_of_tenants_[which.tenant];
  ++runs_of_priorities_[which.priority];
  if (late)
    return;
  const auto latency = now - which.intended;
  latencies_.record(latency);
  recent_.record(latency);
  if (which.tenant < of_tenants_.size())
    of_tenants_[which.tenant].record(latency);
  of_priorities_[which.priority].record(latency);
}

void run_ledger::close_if_over(uint32_t ticket) {
  if (slots_[ticket].ended && slots_[ticket].answers_left == 0)
    close(ticket);
}

void run_ledger::close(uint32_t ticket) {
  --open_;
  free_.push_back(ticket);
}

// ---- figures ----------------------------------------------------------------

load_moment run_ledger::roll(duration now) {
  load_moment moment;
  moment.at_s = seconds_of(now);
  moment.started = acknowledged_ - rolled_.started;
  moment.ended = ended_ - rolled_.ended;
  moment.steps = steps_ - rolled_.steps;
  moment.refused = refusals_ - rolled_.refused;
  moment.in_flight = open_;
  if (recent_.count() > 0) {
    constexpr double micros_in_milli = 1000;
    moment.p50_ms = static_cast<double>(recent_.quantile(500).count()) / micros_in_milli;
    moment.p99_ms = static_cast<double>(recent_.quantile(990).count()) / micros_in_milli;
  }
  recent_.clear();
  rolled_.started = acknowledged_;
  rolled_.ended = ended_;
  rolled_.steps = steps_;
  rolled_.refused = refusals_;
  return moment;
}

void run_ledger::fill(load_result& result) const {
  result.runs = ended_;
  result.steps = steps_;
  result.seconds = ended_ > 0 ? seconds_of(last_ended_ - first_asked_.value_or(duration(0))) : 0;
  if (result.seconds > 0) {
    result.runs_per_s = static_cast<double>(ended_) / result.seconds;
    result.steps_per_s = static_cast<double>(steps_) / result.seconds;
  }
  result.latency_ms = latencies_.figures();
  result.start_ms = starts_.figures();
  result.refused = refused_;
  result.errors = errors_;
  result.endings = endings_;
  if (tenants_.size() > 1)
    for (size_t i = 0; i < of_tenants_.size(); ++i)
      result.tenants[tenant_label(i)] = {runs_of_tenants_[i], of_tenants_[i].figures()};
  for (size_t i = 0; i < of_priorities_.size(); ++i)
    if (runs_of_priorities_[i] > 0)
      result.priorities[std::string(priority_names[i])] = {runs_of_priorities_[i], of_priorities_[i].figures()};
}

} // namespace levain::load
