#include "apps/load/bench/bench_stage.hpp"
#include "apps/load/bench/measures.hpp"

namespace levain::load {

bench_measure measure_alone(bench_stage& stage) {
  struct pair {
    load_result bare;
    load_result engine;
  };
  // Many short turns: how long the disk takes for a commit changes from one second to the next.
  const auto turns = stage.pick<size_t>(11, 5);
  constexpr uint64_t runs = 40;
  auto options = stage.closed_loop();
  options.pace.in_flight = 1;
  options.length.reset();
  options.runs = runs;
  const auto& url = stage.url();
  stage.warm_up();
  std::vector<pair> rounds;
  for (size_t i = 0; i < turns; ++i) {
    pair round;
    round.bare = stage.floor(url, {.batch_runs = 1, .runs = runs, .seed = i});
    round.engine = stage.load(url, options);
    rounds.push_back(std::move(round));
  }
  const auto p50 = [&](load_result pair::*which) {
    return median_of(rounds, [which](const pair& x) { return (x.*which).latency_ms.p50; });
  };
  bench_measure measure;
  measure.reached = median_of(rounds, [](const pair& x) { return x.engine.latency_ms.p50 / x.bare.latency_ms.p50; });
  measure.figures = {{"engine p50", p50(&pair::engine), "ms"}, {"bare commits p50", p50(&pair::bare), "ms"}};
  return measure;
}

bench_measure measure_half_rate(bench_stage& stage) {
  const double rate = stage.capacity() / 2;
  load_options options;
  options.pace.rate = rate;
  // Evenly from nothing, so that the first second is not a burst.
  options.pace.ramp = std::chrono::seconds(1);
  options.length = stage.pick<duration>(std::chrono::seconds(12), std::chrono::seconds(5));
  const auto result = stage.load(stage.url(), options);
  bench_measure measure;
  measure.reached = result.latency_ms.p99;
  measure.figures = {
    {"rate", rate, "runs/s"},
    {"p50", result.latency_ms.p50, "ms"},
    {"p99.9", result.latency_ms.p999, "ms"},
    {"max", result.latency_ms.max, "ms"}};
  return measure;
}

} // namespace levain::load
