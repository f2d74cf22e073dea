// What a run's actor says to the watchdog.
#include <algorithm>

#include <fmt/format.h>

#include "actors/run.hpp"

namespace levain {

void run_actor_state::say_what_moves_it(const liveness_asked& x) {
  run_liveness said{run_.plan.run, run_.seq, std::nullopt, {}};
  // A run that has moved since the last look is alive.
  if (std::exchange(looked_at_seq_, run_.seq) == run_.seq)
    if (auto found = find_fault(x)) {
      said.fault = found->first;
      said.detail = std::move(found->second);
    }
  x.outcome(std::move(said));
}

std::optional<run_actor_state::liveness_fault> run_actor_state::find_fault(const liveness_asked& x) const {
  if (leaving_)
    return liveness_fault{liveness_kind::stuck, "it has said that it is done, and was not let go"};
  if (hand_over_by_ && x.database_since) {
    // Nothing of it is to begin here any more.
    const auto since = std::max(*hand_over_by_, *x.database_since);
    return steady() - since > x.overdue_grace
             ? std::optional(liveness_fault{
                 liveness_kind::overdue, "it was to have left for another node by " + to_rfc3339(*hand_over_by_)})
             : std::nullopt;
  }
  if (hand_over_by_)
    return std::nullopt;
  if (x.epoch != epoch_)
    return liveness_fault{
      liveness_kind::misowned, fmt::format("it acts under epoch {}, and its shard has epoch {}", epoch_, x.epoch)};
  if (reloading_)
    return std::nullopt; // Recovery answers, however long the database takes.
  const bool unsettled = start_outcome_ || durable_seq_ < run_.seq;
  if (unsettled && x.database_since && unsettled_since_) {
    const auto since = std::max(*unsettled_since_, *x.database_since);
    if (steady() - since > x.overdue_grace)
      return liveness_fault{
        liveness_kind::overdue, fmt::format(
                                  "{} of its events are on their way to the database since {}, which answers",
                                  run_.seq - durable_seq_, to_rfc3339(*unsettled_since_))};
  }
  if (auto found = find_call_fault(unsettled, x.overdue_grace))
    return found;
  if (!unsettled && !held_effects_.empty())
    return liveness_fault{liveness_kind::stuck, "it holds calls back although everything before them is durable"};
  if (auto found = find_timer_fault(x.overdue_grace))
    return found;
  if (unsettled || run_.paused || !attempts_.empty() || !wanting_.empty() || next_due(run_))
    return std::nullopt;
  if (run_.phase == run_phase::pending)
    return x.in_line ? std::nullopt
                     : std::optional(liveness_fault{liveness_kind::stuck, "it waits for a slot and stands in no line"});
  return liveness_fault{
    liveness_kind::stuck, fmt::format("it is {}, and nothing will ever wake it", to_string(run_.phase))};
}

std::optional<run_actor_state::liveness_fault>
run_actor_state::find_call_fault(bool unsettled, duration overdue_grace) const {
  for (const auto& call : calls_out(run_)) {
    const auto& step = run_.workflow->steps[call.step];
    const auto words = fmt::format("attempt {} {}step {}", call.attempt, call.undo ? "to undo " : "of ", step.name);
    const auto out =
      std::find_if(attempts_.begin(), attempts_.end(), [&](const attempt_out& each) { return each.call == call; });
    if (out == attempts_.end()) {
      // It is held until its events are durable, or until a node can make it.
      if (unsettled || std::ranges::find(wanting_, call, &wanting_call::call) != wanting_.end())
        continue;
      return liveness_fault{liveness_kind::stuck, words + " is out by the journal, and nobody makes it"};
    }
    if (out->waits)
      continue; // As long as it takes.
    const auto timeout = call.undo ? step.compensate->timeout : step.timeout;
    const auto deadline = out->in_flight_since.value_or(out->began_at) + timeout;
    if (steady() - deadline > overdue_grace)
      return liveness_fault{
        liveness_kind::overdue, words + " is out beyond its deadline, " + to_rfc3339(deadline + (now() - steady()))};
  }
  return std::nullopt;
}

std::optional<run_actor_state::liveness_fault> run_actor_state::find_timer_fault(duration overdue_grace) const {
  const auto due = next_wait();
  if (!due)
    return std::nullopt;
  if (steady() - *due > overdue_grace)
    return liveness_fault{liveness_kind::overdue, "something was due at " + to_rfc3339(*due)};
  if (*due > steady() && (!armed_ || *armed_ > *due))
    return liveness_fault{liveness_kind::stuck, "something is due at " + to_rfc3339(*due) + ", and no timer is set"};
  return std::nullopt;
}

} // namespace levain
