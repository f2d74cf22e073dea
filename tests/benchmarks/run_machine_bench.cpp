// The run machine: whole runs decided, evolved, prepared, encoded and projected, and journals folded.
#include <benchmark/benchmark.h>

#include <deque>

#include "actors/run_machine/machine.hpp"
#include "tests/benchmarks/benchmark_shapes.hpp"
#include "tests/guards/run_course.hpp"

using namespace levain;
using namespace levain::test;

namespace {

constexpr timestamp night{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};

/// The events of one run, from its start to its end.
std::vector<event> events_of(const workflow_ptr& workflow) {
  std::vector<event> events;
  for (const auto& append : take_course(workflow, course_plan(*workflow, 1), shape_output))
    for (const auto& record : append.events)
      events.push_back(decode_event(record, *workflow));
  return events;
}

/// `decide` and `evolve` alone, from the first event of a run to its last.
void decide_and_evolve(benchmark::State& state) {
  const auto workflow = labelled_workflow(state);
  const auto plan = course_plan(*workflow, 1);
  int64_t events = 0;
  for (auto _ : state) {
    auto run = initial_state(workflow);
    evolve(run, accept_run(plan, night));
    std::deque<begin_call> calls;
    const auto feed = [&](const run_input& input) {
      auto decided = decide(run, input, {night, 0.5});
      for (auto& fact : decided.events)
        evolve(run, std::move(fact));
      for (const auto& effect : decided.effects)
        calls.push_back(std::get<begin_call>(effect));
    };
    feed(slot_granted{});
    while (!calls.empty()) {
      const auto call = calls.front();
      calls.pop_front();
      feed(call_answered{call.step, call.attempt, call.undo, shape_output});
    }
    if (run.phase != run_phase::ended)
      state.SkipWithError("the run did not end");
    events += run.seq;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["events"] = benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
}
BENCHMARK(decide_and_evolve)->Apply(each_shape);

/// All that a run's actor has done for it without the actor: decisions, calls, records, rows.
void take_a_course(benchmark::State& state) {
  const auto workflow = labelled_workflow(state);
  for (auto _ : state)
    benchmark::DoNotOptimize(take_course(workflow, course_plan(*workflow, 1), shape_output));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(take_a_course)->Apply(each_shape);

/// Recovery's part: a journal folded into a state.
void fold_a_journal(benchmark::State& state) {
  const auto workflow = labelled_workflow(state);
  const auto events = events_of(workflow);
  for (auto _ : state) {
    auto run = initial_state(workflow);
    for (const auto& fact : events)
      evolve(run, fact);
    benchmark::DoNotOptimize(run);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(events.size()));
}
BENCHMARK(fold_a_journal)->Apply(each_shape);

/// The projection of a run that has ended.
void project_the_row(benchmark::State& state) {
  const auto workflow = labelled_workflow(state);
  auto run = initial_state(workflow);
  for (const auto& fact : events_of(workflow))
    evolve(run, fact);
  for (auto _ : state)
    benchmark::DoNotOptimize(audit_of(run));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(project_the_row)->Apply(each_shape);

} // namespace
