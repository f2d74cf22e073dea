// Calls that a run's node cannot make for want of something that another node, or its own next start, may have.
#include <algorithm>
#include <caf/send.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "actors/run.hpp"
#include "actors/wanting_calls.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

constexpr const char* variable_word = "variable";

} // namespace

std::optional<std::string> run_actor_state::find_wanting(const begin_call& call) const {
  const auto& step = run_.workflow->steps[call.step];
  const auto& spec = call.undo ? step.compensate->call : step.call;
  if (std::holds_alternative<worker_call>(spec) && !environment_->workers)
    return "gate for workers";
  const auto names = missing_variables(spec, environment_->variables);
  if (names.empty())
    return std::nullopt;
  return fmt::format("{}{} {}", variable_word, names.size() == 1 ? "" : "s", fmt::join(names, ", "));
}

void run_actor_state::hold_for_want(const begin_call& call, std::string what, bool made_before) {
  if (std::ranges::find(wanting_, call, &wanting_call::call) != wanting_.end())
    return;
  spdlog::warn(
    "call_waits run={} step={} for={}", to_string(run_.plan.run), run_.workflow->steps[call.step].name,
    log_quoted(what));
  if (environment_->wanting)
    environment_->wanting->add(what);
  wanting_.push_back({call, std::move(what), made_before});
  withdraw_wanting();
}

void run_actor_state::withdraw_wanting() {
  if (run_.phase != run_phase::stopping)
    return;
  for (const auto& each : wanting_)
    if (!each.call.undo)
      self_->send(
        run_actor(self_),
        attempt_ended{
          each.call.step, each.call.attempt, false,
          each.made_before
            ? call_failure{
                call_failure::kind_type::abandoned,
                fmt::format("it may have begun before the run was taken up; this node has no {}", each.what),
                std::nullopt, true}
            : call_failure{
                call_failure::kind_type::withdrawn,
                fmt::format("the call was never made: the run stops, and this node has no {}", each.what),
                std::nullopt}});
}

void run_actor_state::forget_wanting(const begin_call& call) {
  const auto found = std::ranges::find(wanting_, call, &wanting_call::call);
  if (found == wanting_.end())
    return;
  if (environment_->wanting)
    environment_->wanting->remove(found->what);
  wanting_.erase(found);
}

std::string run_actor_state::explain_wanting(const wanting_call& x) const {
  const auto node = environment_->wanting ? "node " + environment_->wanting->node() : std::string("this node");
  const bool is_variable = x.what.starts_with(variable_word);
  return fmt::format(
    "waits for {}{} on {}: start it with {}", is_variable ? "" : "a ", x.what, node,
    is_variable ? "--var NAME=VALUE" : "--cluster");
}

} // namespace levain
