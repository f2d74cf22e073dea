// Events on their way into the journal and out of it.
#include <benchmark/benchmark.h>

#include "actors/run_machine/event.hpp"
#include "tests/benchmarks/benchmark_shapes.hpp"
#include "tests/guards/run_course.hpp"

using namespace levain;
using namespace levain::test;

namespace {

/// A run's records; one that has `bytes` more in each output, when it is asked to.
std::vector<event_record> records_of(const workflow_ptr& workflow, size_t bytes) {
  const std::string output =
    bytes == 0 ? std::string(shape_output) : R"({"count":7,"note":")" + std::string(bytes, 'x') + "\"}";
  std::vector<event_record> records;
  for (auto& append : take_course(workflow, course_plan(*workflow, 1), output))
    for (auto& record : append.events)
      records.push_back(std::move(record));
  return records;
}

void decode_events(benchmark::State& state) {
  const auto workflow = chain(5);
  const auto records = records_of(workflow, static_cast<size_t>(state.range(0)));
  for (auto _ : state)
    for (const auto& record : records)
      benchmark::DoNotOptimize(decode_event(record, *workflow));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(records.size()));
}
BENCHMARK(decode_events)->ArgName("output_bytes_more")->Arg(0)->Arg(10'000);

void encode_events(benchmark::State& state) {
  const auto workflow = chain(5);
  std::vector<event> events;
  for (const auto& record : records_of(workflow, static_cast<size_t>(state.range(0))))
    events.push_back(decode_event(record, *workflow));
  for (auto _ : state)
    for (const auto& fact : events)
      benchmark::DoNotOptimize(encode_event(fact, *workflow));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(events.size()));
}
BENCHMARK(encode_events)->ArgName("output_bytes_more")->Arg(0)->Arg(10'000);

} // namespace
