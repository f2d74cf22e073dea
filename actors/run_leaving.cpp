// How a run's actor goes: at the run's end, to another node, or at once.
#include <algorithm>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/run.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

/// One line for a run that failed or that a person has to look at; for the others one at debug.
void log_ending(const run_state& run) {
  const bool good = run.ended_as == run_status::completed || run.ended_as == run_status::cancelled;
  if (good && !spdlog::should_log(spdlog::level::debug))
    if (std::none_of(
          run.steps.begin(), run.steps.end(), [](const step_state& x) { return x.undo_failure.has_value(); }))
      return;
  const auto row = audit_of(run);
  const auto level = row.attention || !good ? spdlog::level::warn : spdlog::level::debug;
  spdlog::log(
    level, "{} run={} run_number={} tenant={} workflow={} status={} error={} attention={}",
    row.attention ? "run_needs_attention"
    : good        ? "run_ended"
                  : "run_failed",
    to_string(row.id), row.run_number, to_string(row.tenant), row.workflow, to_string(row.status),
    log_quoted(row.error_message.value_or("")), log_quoted(row.attention.value_or("")));
}

} // namespace

void run_actor_state::hand_over(const hand_over_run& x) {
  hand_over_by_ = x.deadline;
  leave_if_settled();
  if (!leaving_)
    self_->send(environment_->timekeeper, wake_at{x.deadline});
}

void run_actor_state::leave_if_settled() {
  if (!hand_over_by_ || leaving_)
    return;
  const bool late = steady() >= *hand_over_by_;
  if (late)
    for (const auto& each : std::exchange(attempts_, {}))
      self_->send(each.actor, abandon_attempt{let_go_reason::run_moves});
  // A journal that cannot be read here for so long is the next owner's to read.
  if (attempts_.empty() && appends_out_ == 0 && (late || !reloading_))
    end(run_left::reason_type::handed_over);
}

void run_actor_state::tell_ending() {
  log_ending(run_);
  if (!environment_->endings)
    return;
  const auto succeeded = std::count_if(run_.steps.begin(), run_.steps.end(), [](const step_state& step) {
    return step.phase == step_phase::succeeded && step.undo != undo_phase::compensated;
  });
  self_->send(
    environment_->endings, run_ending{
                             run_.plan.run, run_.plan.tenant, run_.ended_as.value_or(run_status::failed),
                             run_.ended_at.value_or(run_.updated_at), static_cast<uint32_t>(succeeded)});
}

void run_actor_state::end(run_left::reason_type reason, std::optional<run_stop> stop) {
  if (std::exchange(leaving_, true))
    return;
  for (const auto& each : attempts_)
    self_->send(each.actor, abandon_attempt{});
  if (reason == run_left::reason_type::ended && environment_->run_memory && run_.workflow)
    environment_->run_memory->learn(*run_.workflow, bytes_most_ - std::min(bytes_most_, bytes_of(run_.plan)));
  self_->send(dispatcher_, run_left{run_.plan.run, reason, std::move(stop)});
}

void run_actor_state::leave() {
  if (!std::exchange(leaving_, true)) {
    for (const auto& each : attempts_)
      self_->send(each.actor, abandon_attempt{let_go_reason::run_moves});
    refuse_held_wishes("the node gives the run up; ask again");
    if (const auto tell = std::exchange(start_outcome_, nullptr))
      tell(start_refused{
        start_refused::reason_type::not_ready,
        "the node gave the run up before it knew whether the start was durable; ask again with the same idempotency "
        "key",
        std::nullopt, true});
  }
  self_->quit();
}

} // namespace levain
