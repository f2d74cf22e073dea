// The line before the slots, with few tenants and with many.
#include <benchmark/benchmark.h>

#include <unordered_map>
#include <vector>

#include "actors/admission_queue.hpp"

using namespace levain;

namespace {

constexpr timestamp night{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
constexpr int64_t steps = 5;

std::vector<tenant_id> tenants_of(benchmark::State& state) {
  std::vector<tenant_id> tenants;
  for (int64_t i = 0; i < state.range(0); ++i)
    tenants.push_back(
      {make_uuid_v7(night, {static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15ULL, static_cast<uint64_t>(i)})});
  return tenants;
}

run_id run_number(size_t number) {
  const auto spread = static_cast<uint64_t>(number) * 0x9e3779b97f4a7c15ULL;
  return make_run_id(night, {spread, ~spread}, static_cast<shard_number>(number % shard_count));
}

admission_queue queue_for(size_t running_max) {
  return admission_queue(
    {.running_max = running_max,
     .running_per_tenant_max = running_max,
     .ageing_interval = std::chrono::seconds(10),
     .quantum = 10});
}

void tenants_counts(benchmark::internal::Benchmark* of) {
  of->ArgName("tenants")->Arg(1)->Arg(100)->Arg(10'000);
}

/// A slot is free: taken at once, and given back.
void begin_and_release(benchmark::State& state) {
  const auto tenants = tenants_of(state);
  auto queue = queue_for(tenants.size() + 1);
  size_t next = 0;
  for (auto _ : state) {
    const auto& tenant = tenants[next];
    next = next + 1 < tenants.size() ? next + 1 : 0;
    if (!queue.try_begin(tenant))
      state.SkipWithError("no slot was free");
    queue.release(tenant);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(begin_and_release)->Apply(tenants_counts);

/// All slots are taken and 10,000 runs stand in line: one leaves, the next one begins, another joins the line.
void admit_from_the_line(benchmark::State& state) {
  constexpr size_t in_line = 10'000;
  const auto tenants = tenants_of(state);
  // Every slot is given to somebody whose turn it is, so all tenants stay in the line.
  auto queue = queue_for(1);
  std::unordered_map<run_id, tenant_id> waiting;
  size_t number = 0;
  const auto join = [&] {
    const auto run = run_number(number);
    const auto& tenant = tenants[number % tenants.size()];
    queue.push(run, tenant, static_cast<run_priority>(number % run_priority_count), steps, night);
    waiting.emplace(run, tenant);
    ++number;
  };
  for (size_t i = 0; i < in_line; ++i)
    join();
  for (auto _ : state) {
    const auto next = queue.pop(night);
    if (!next) {
      state.SkipWithError("nobody was next");
      break;
    }
    const auto found = waiting.find(*next);
    queue.release(found->second);
    waiting.erase(found);
    join();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(admit_from_the_line)->Apply(tenants_counts);

} // namespace
