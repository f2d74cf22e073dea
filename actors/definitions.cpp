#include "actors/definitions.hpp"

namespace levain {

namespace {

/// Answers with what `ask` returns, or with why the database could not be asked.
template <class Receiver, class Ask>
void answer(const Receiver& outcome, Ask ask) {
  try {
    outcome(ask());
  } catch (const journal_unavailable& failure) {
    outcome(std::string(failure.what()));
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
      answer(x.outcome, [&] { return self->state.workflows->put(x.workflow, self->state.now()); });
    },
    [self](const find_workflow& x) {
      answer(x.outcome, [&] {
        return x.version ? self->state.workflows->find(x.name, *x.version) : self->state.workflows->find_newest(x.name);
      });
    },
    [self](const list_workflows& x) { answer(x.outcome, [&] { return self->state.workflows->list(); }); },
  };
}

} // namespace levain
