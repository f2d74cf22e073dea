// What a run's actor tells people who ask what it waits for.
#include <caf/send.hpp>
#include <fmt/format.h>

#include "actors/run.hpp"

namespace levain {

void run_actor_state::explain_yourself(const explanation_asked& x) {
  if (leaving_) {
    self_->send(dispatcher_, explain_run{run_.plan.run, run_.plan.tenant, x.outcome});
    return;
  }
  explain_context context{now(), environment_->variables, std::vector<call_in_hand>{}};
  for (const auto& each : attempts_) {
    auto& hand = context.in_hand->emplace_back(
      call_in_hand{each.call, each.began_at, std::nullopt, each.waits, each.in_flight_since});
    if (environment_->workers)
      hand.worker =
        environment_->workers->look(idempotency_key(run_, each.call.step, each.call.undo), each.call.attempt);
  }
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
  auto text = fmt::format(
    "{} of its events {} on {} way to the database since {}", events, events == 1 ? "is" : "are",
    events == 1 ? "its" : "their", clock_text(*unsettled_since_, now()));
  const auto reason = environment_->why_no_database ? environment_->why_no_database() : std::string();
  if (!reason.empty())
    text += ", which takes nothing: " + reason;
  return {"database", {}, std::move(text), unsettled_since_, std::nullopt};
}

} // namespace levain
