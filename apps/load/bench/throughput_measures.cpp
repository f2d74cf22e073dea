#include "apps/load/bench/bench_daemon.hpp"
#include "apps/load/bench/bench_stage.hpp"
#include "apps/load/bench/measures.hpp"

namespace levain::load {

namespace {

constexpr double bytes_in_kilobyte = 1000;

/// The median of the ratios of each round, and the medians of what they are made of.
bench_measure against_floor(const std::vector<strict_round>& rounds, load_result strict_round::*which) {
  const auto ratio = [which](const strict_round& x) { return steady_rate(x.*which) / x.floor.runs_per_s; };
  const auto cost = [which](std::optional<double> load_result::*figure) {
    return [which, figure](const strict_round& x) { return (x.*which.*figure).value_or(0); };
  };
  bench_measure measure;
  measure.reached = median_of(rounds, ratio);
  measure.figures = {
    {"engine", median_of(rounds, [which](const strict_round& x) { return steady_rate(x.*which); }), "runs/s"},
    {"floor", median_of(rounds, [](const strict_round& x) { return x.floor.runs_per_s; }), "runs/s"},
    {"CPU of the engine", median_of(rounds, cost(&load_result::engine_cpu_ms_per_run)), "ms/run"},
    {"of PostgreSQL", median_of(rounds, cost(&load_result::postgres_cpu_ms_per_run)), "ms/run"}};
  return measure;
}

} // namespace

bench_measure measure_strict(bench_stage& stage) {
  return against_floor(stage.strict_rounds(), &strict_round::strict);
}

bench_measure measure_none(bench_stage& stage) {
  return against_floor(stage.strict_rounds(), &strict_round::none);
}

bench_measure measure_wal(bench_stage& stage) {
  const auto& rounds = stage.strict_rounds();
  const auto kilobytes = [&](load_result strict_round::*which) {
    return median_of(
      rounds, [which](const strict_round& x) { return (x.*which).wal_bytes_per_run.value_or(0) / bytes_in_kilobyte; });
  };
  bench_measure measure;
  measure.reached = kilobytes(&strict_round::strict);
  measure.figures = {
    {"floor", kilobytes(&strict_round::floor), "KB"}, {"effect none", kilobytes(&strict_round::none), "KB"}};
  return measure;
}

bench_measure measure_http(bench_stage& stage) {
  struct pair {
    load_result here;
    load_result over_http;
  };
  const auto& url = stage.url();
  stage.warm_up();
  std::vector<pair> rounds;
  for (size_t i = 0; i < stage.rounds(); ++i) {
    pair round;
    round.here = stage.load(url, stage.closed_loop());
    bench_daemon daemon(stage.options(), url);
    daemon.wait_until_ready();
    round.over_http = stage.load_daemon(url, daemon.url(), stage.closed_loop());
    rounds.push_back(std::move(round));
  }
  bench_measure measure;
  measure.reached = median_of(rounds, [](const pair& x) { return steady_rate(x.over_http) / steady_rate(x.here); });
  measure.figures = {
    {"over HTTP", median_of(rounds, [](const pair& x) { return steady_rate(x.over_http); }), "runs/s"},
    {"in-process", median_of(rounds, [](const pair& x) { return steady_rate(x.here); }), "runs/s"}};
  return measure;
}

} // namespace levain::load
