#include "tests/simulation/auditor/wait_ledger.hpp"

#include <chrono>

#include "tests/simulation/auditor/run_story.hpp"

namespace levain::simulation {

namespace {

/// Times pass through texts with six decimals.
constexpr duration tolerance = std::chrono::microseconds(2);

} // namespace

void wait_ledger::made(const call_made& x) {
  calls_[{x.run, {x.step, x.undo}}] = {x.from, x.at};
  calls_[{x.run, {}}] = {x.from, x.at};
}

void wait_ledger::begins(const run_written& x, const event_record& event, const waiting& what) {
  waits_.erase({x.run, what});
  const auto due = read_told(event).due_at;
  const auto call = calls_.find({x.run, what});
  if (due && call != calls_.end() && call->second.first == x.by)
    waits_[{x.run, what}] = {x.by, call->second.second, *due - event.at, *due};
}

void wait_ledger::ends(const run_written& x, const event_record& event, const waiting& what) {
  const auto found = waits_.extract({x.run, what});
  if (found.empty() || refused_.contains(x.run))
    return;
  const auto& wait = found.mapped();
  if (event.at < wait.due)
    return; // Too early by its own clock, too: that is `backoff_kept`.
  // Whoever takes a run up, be it anew, goes by the time that was written.
  const bool same = wait.by == x.by && owners_.ownerships(x.by, shard_of(x.run), wait.since) == 1;
  const auto waited = x.at - wait.since;
  if (same && waited + tolerance < wait.length)
    accuse_(
      rule::waits_are_true, x.run,
      std::string(levain::to_string(event.kind)) + " " + event.step + " after " + std::to_string(waited.count()) +
        " us at most, a wait of " + std::to_string(wait.length.count()));
}

void wait_ledger::written(const run_written& x) {
  for (const auto& event : x.events)
    switch (event.kind) {
    case event_kind::attempt_failed:
      begins(x, event, {event.step, false});
      break;
    case event_kind::compensation_attempt_failed:
      begins(x, event, {event.step, true});
      break;
    case event_kind::run_retry_scheduled:
      begins(x, event, {});
      break;
    case event_kind::attempt_started:
      ends(x, event, {event.step, false});
      break;
    case event_kind::compensation_attempt_started:
      ends(x, event, {event.step, true});
      break;
    case event_kind::run_retried:
      if (read_told(event).by.empty())
        ends(x, event, {});
      waits_.erase({x.run, {}});
      break;
    case event_kind::attempt_withdrawn:
      // It goes on at once with what it had waited for.
      waits_.erase({x.run, {event.step, false}});
      break;
    default:
      break;
    }
}

} // namespace levain::simulation
