#include "actors/definitions.hpp"

#include <fmt/format.h>

namespace levain {

namespace {

/// Answers with what `ask` returns, with why the database could not be asked, or with what cannot be read.
template <class Receiver, class Ask>
void answer(const Receiver& outcome, Ask ask) {
  try {
    outcome(ask());
  } catch (const journal_unavailable& failure) {
    outcome(std::string(failure.what()));
  } catch (const definition_unreadable& damage) {
    outcome(std::string(damage.what()));
  } catch (const std::bad_alloc&) {
    outcome(std::string("there is too little memory for the definition"));
  }
}

register_outcome put(workflow_cache& workflows, const workflow_ptr& workflow, timestamp now) {
  try {
    return workflows.put(workflow, now);
  } catch (const std::invalid_argument& refused) {
    return definition_refused{refused.what()};
  }
}

} // namespace

definitions_actor::behavior_type definitions(
  definitions_actor::stateful_pointer<definitions_state> self, std::shared_ptr<workflow_cache> workflows,
  std::function<timestamp()> now) {
  self->state.workflows = std::move(workflows);
  self->state.now = std::move(now);
  return {
    [self](const register_workflow& x) {
      answer(x.outcome, [&] { return put(*self->state.workflows, x.workflow, self->state.now()); });
    },
    [self](const find_workflow& x) {
      answer(x.outcome, [&] { return self->state.workflows->find_registered(x.name, x.version); });
    },
    [self](const list_workflows& x) { answer(x.outcome, [&] { return self->state.workflows->list(); }); },
  };
}

} // namespace levain
