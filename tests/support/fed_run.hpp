#pragma once

#include <string>
#include <utility>
#include <vector>

#include "actors/run_machine/machine.hpp"
#include "persistence/timestamp.hpp"

namespace levain::test {

/// The plan of a run of this workflow, with made-up names.
inline run_plan plan_of(const workflow_definition& workflow) {
  run_plan plan;
  plan.run.value = *uuid::parse("01900000-0000-7000-8000-000000000001");
  plan.run_number = "ORCH-20261123-00000001";
  plan.tenant.value = *uuid::parse("7e000000-0000-4000-8000-000000000001");
  plan.workflow = workflow.name;
  plan.workflow_version = workflow.version;
  plan.triggered_by = "tester";
  return plan;
}

inline timestamp night() {
  return *parse_timestamp("2026-11-23T04:00:00Z");
}

inline call_failure retryable(std::string message = "HTTP 503") {
  return {call_failure::kind_type::retryable, std::move(message), std::nullopt};
}

inline call_failure final_failure(std::string message = "HTTP 400") {
  return {call_failure::kind_type::final, std::move(message), std::nullopt};
}

/// The request was sent, and nobody knows what became of it.
inline call_failure lost_answer(call_failure::kind_type kind = call_failure::kind_type::timeout) {
  return {kind, "no answer within 30s", std::nullopt, true};
}

/// A run that a test feeds by hand; every decision's events are folded at once, as if they had been committed.
class fed_run {
public:
  explicit fed_run(workflow_ptr workflow, bool started = true)
    : state(initial_state(std::move(workflow))) {
    fold(accept_run(plan_of(*state.workflow), now));
    if (started)
      feed(slot_granted{});
  }

  decision feed(const run_input& input) {
    last = decide(state, input, {now, random});
    for (const auto& fact : last.events)
      fold(fact);
    return last;
  }
  decision succeed(const std::string& step, std::string output = "{}") {
    auto i = index_of(step);
    return feed(call_answered{i, state.steps[i].attempt, false, std::move(output)});
  }
  decision fail(const std::string& step, call_failure failure = final_failure()) {
    auto i = index_of(step);
    return feed(call_answered{i, state.steps[i].attempt, false, std::move(failure)});
  }
  decision undo(const std::string& step) {
    auto i = index_of(step);
    return feed(call_answered{i, state.steps[i].undo_attempt, true, std::string()});
  }
  decision fail_undo(const std::string& step, call_failure failure = final_failure()) {
    auto i = index_of(step);
    return feed(call_answered{i, state.steps[i].undo_attempt, true, std::move(failure)});
  }
  decision withdraw(const std::string& step) {
    return fail(step, {call_failure::kind_type::withdrawn, "nobody was given it", std::nullopt});
  }
  /// Time passes, and the machine is told.
  decision wait(duration span) {
    now += span;
    return feed(clock_reached{});
  }
  /// What would be decided now, without folding it.
  decision ask(const run_input& input) const { return decide(state, input, {now, random}); }

  const step_state& step(const std::string& name) const { return state.steps[index_of(name)]; }

  step_index index_of(const std::string& name) const {
    for (step_index i = 0; i < state.workflow->steps.size(); ++i)
      if (state.workflow->steps[i].name == name)
        return i;
    throw std::invalid_argument("the workflow has no step " + name);
  }

  /// The kinds of the last decision's events with the steps they are about: `step_succeeded(a) run_completed`.
  std::string told() const {
    std::string text;
    for (const auto& fact : last.events) {
      text += text.empty() ? "" : " ";
      text += to_string(fact.kind);
      if (fact.step)
        text += "(" + state.workflow->steps[*fact.step].name + ")";
    }
    return text;
  }

  /// The last decision's effects: `begin(a 1) undo(b 1) abandon(c 1) withdraw(d 1) cancel(e 1)`.
  std::string asked() const {
    std::string text;
    for (const auto& effect : last.effects) {
      text += text.empty() ? "" : " ";
      if (const auto* call = std::get_if<begin_call>(&effect))
        text += (call->undo ? "undo(" : "begin(") + state.workflow->steps[call->step].name + " " +
                std::to_string(call->attempt) + ")";
      else if (const auto* call = std::get_if<abandon_call>(&effect))
        text += "abandon(" + state.workflow->steps[call->step].name + " " + std::to_string(call->attempt) + ")";
      else if (const auto* call = std::get_if<withdraw_call>(&effect))
        text += (call->cancel ? "cancel(" : "withdraw(") + state.workflow->steps[call->step].name + " " +
                std::to_string(call->attempt) + ")";
    }
    return text;
  }

  run_state state;
  std::vector<event> events;
  decision last;
  timestamp now = night();
  double random = 0.5;

private:
  void fold(const event& fact) {
    evolve(state, fact);
    events.push_back(fact);
  }
};

} // namespace levain::test
