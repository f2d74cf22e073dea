// What a batch is before PostgreSQL has it: rows checked, arrays written as text.
#include <benchmark/benchmark.h>

#include "persistence/append_rules.hpp"
#include "persistence/array_literal.hpp"
#include "persistence/audit_writing.hpp"
#include "persistence/event_columns.hpp"
#include "tests/benchmarks/benchmark_shapes.hpp"
#include "tests/guards/batch_text.hpp"
#include "tests/guards/run_course.hpp"

using namespace levain;
using namespace levain::test;

namespace {

/// The batches of that many runs of five steps: the first inserts rows, the last updates them.
std::vector<std::vector<run_append>> batches_of(benchmark::State& state) {
  return take_courses(chain(5), static_cast<size_t>(state.range(0)), shape_output);
}

void count_runs(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

/// All that five-step runs need, from their first batch to their last.
void write_batches_of_whole_runs(benchmark::State& state) {
  const auto batches = batches_of(state);
  size_t bytes = 0;
  for (auto _ : state)
    for (const auto& batch : batches)
      bytes += write_batch_text(batch);
  count_runs(state);
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
BENCHMARK(write_batches_of_whole_runs)->ArgName("runs")->Arg(1)->Arg(500);

void find_what_cannot_be_sent(benchmark::State& state) {
  const auto batches = batches_of(state);
  for (auto _ : state)
    benchmark::DoNotOptimize(find_unsendable(batches.front()));
  count_runs(state);
}
BENCHMARK(find_what_cannot_be_sent)->ArgName("runs")->Arg(500);

/// The parameters for one event of each run.
void write_event_arrays(benchmark::State& state) {
  const auto batches = batches_of(state);
  std::vector<std::pair<run_id, const event_record*>> events;
  for (const auto& append : batches.at(1))
    events.emplace_back(append.run, &append.events.front());
  for (auto _ : state)
    benchmark::DoNotOptimize(event_parameters(events));
  count_runs(state);
}
BENCHMARK(write_event_arrays)->ArgName("runs")->Arg(1)->Arg(500);

/// The parameters for one audit row of each run.
void write_row_arrays(benchmark::State& state) {
  const auto batches = batches_of(state);
  std::vector<const audit_row*> rows;
  for (const auto& append : batches.back())
    rows.push_back(&append.update.value());
  for (auto _ : state)
    benchmark::DoNotOptimize(audit_rows_parameters(rows));
  count_runs(state);
}
BENCHMARK(write_row_arrays)->ArgName("runs")->Arg(1)->Arg(500);

/// One column of JSON, which has quotes to escape.
void quote_json(benchmark::State& state) {
  const std::string json = shape_output;
  for (auto _ : state) {
    array_literal column;
    for (int64_t i = 0; i < state.range(0); ++i)
      column.quoted(json);
    benchmark::DoNotOptimize(column.take());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<int64_t>(json.size()));
}
BENCHMARK(quote_json)->ArgName("values")->Arg(500);

} // namespace
