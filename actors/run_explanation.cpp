// What a run's actor tells people who ask what it waits for.
#include <caf/send.hpp>
#include <fmt/format.h>

#include "actors/calls/call_budget.hpp"
#include "actors/run.hpp"

namespace levain {

void run_actor_state::explain_yourself(const explanation_asked& x) {
  if (leaving_) {
    self_->send(dispatcher_, explain_run{run_.plan.run, run_.plan.tenant, x.outcome});
    return;
  }
  explain_context context{now(), environment_->variables, std::vector<call_in_hand>{}};
  // People read the clock as it is now.
  const auto shift = now() - steady();
  for (const auto& each : attempts_) {
    const auto in_flight_since = each.in_flight_since ? std::optional(*each.in_flight_since + shift) : std::nullopt;
    auto& hand = context.in_hand->emplace_back(
      call_in_hand{each.call, each.began_at + shift, each.taken_up, std::nullopt, each.waits, in_flight_since});
    hand.queued = std::chrono::floor<std::chrono::milliseconds>(each.queued);
    if (each.awaits_room) {
      const auto memory = environment_->call_memory->read();
      hand.for_room = fmt::format(
        ", which hold {} bytes of memory; at most {} are allowed (calls_bytes_max)", memory.bytes, memory.bytes_max);
    }
    if (environment_->workers)
      hand.worker =
        environment_->workers->look(idempotency_key(run_, each.call.step, each.call.undo), each.call.attempt);
    if (hand.worker)
      for (auto* at : {&hand.worker->given_at, &hand.worker->progress_at})
        if (*at)
          **at += shift;
  }
  for (const auto& each : wanting_) {
    auto& hand = context.in_hand->emplace_back(call_in_hand{each.call});
    hand.wanting = explain_wanting(each);
  }
  for (const auto& each : waits_)
    context.comes_at.emplace_back(each.due, each.until + shift);
  auto said = explain(run_, context);
  if (!x.slot.empty())
    for (auto& wait : said.waits)
      if (wait.kind == "slot")
        wait.text += ": " + x.slot;
  if (reloading_)
    said.waits.push_back(
      {"database",
       {},
       "the database refused what the run was to remember, and it is read back: " + refused_.reason,
       std::nullopt,
       std::nullopt});
  else if (unsettled_since_)
    said.waits.push_back(explain_database());
  x.outcome(std::move(said));
}

wait_reason run_actor_state::explain_database() const {
  const auto events = run_.seq - durable_seq_;
  const auto since = now() - (steady() - *unsettled_since_);
  auto text = fmt::format(
    "{} of its events {} on {} way to the database since {}", events, events == 1 ? "is" : "are",
    events == 1 ? "its" : "their", clock_text(since, now()));
  const auto reason = environment_->why_no_database ? environment_->why_no_database() : std::string();
  if (!reason.empty())
    text += ", which takes nothing: " + reason;
  else if (const auto lock = environment_->why_held_up ? environment_->why_held_up(run_.plan.run) : std::string();
           !lock.empty())
    text += ", held up because " + lock;
  return {"database", {}, std::move(text), since, std::nullopt};
}

} // namespace levain
