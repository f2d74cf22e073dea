#include <fmt/format.h>

#include "apps/load/bench/bench_stage.hpp"
#include "apps/load/bench/measures.hpp"
#include "persistence/held_snapshot.hpp"

namespace levain::load {

namespace {

/// How many finished runs lie in the big table.
uint64_t finished_runs(const bench_stage& stage) {
  if (stage.quick())
    return 20'000;
  return stage.is_asked_for("big_table") ? 5'000'000 : 200'000;
}

} // namespace

bench_measure measure_big_table(bench_stage& stage) {
  struct pair {
    load_result empty;
    load_result full;
  };
  const auto empty = stage.fresh_server("empty");
  const auto full = stage.fresh_server("full");
  const auto finished = finished_runs(stage);
  stage.floor(full->url(), {.method = bare_method::copy, .batch_runs = 2'000, .runs = finished, .seed = 1});
  for (const auto* each : {&empty, &full}) {
    stage.load((*each)->url(), stage.closed_loop());
    settle_database((*each)->url());
  }
  std::vector<pair> rounds;
  for (size_t i = 0; i < stage.rounds(); ++i) {
    pair round;
    round.empty = stage.load(empty->url(), stage.closed_loop());
    round.full = stage.load(full->url(), stage.closed_loop());
    rounds.push_back(std::move(round));
  }
  bench_measure measure;
  measure.reached = median_of(rounds, [](const pair& x) { return steady_rate(x.full) / steady_rate(x.empty); });
  measure.figures = {
    {"finished runs", static_cast<double>(finished), ""},
    {"on them", median_of(rounds, [](const pair& x) { return steady_rate(x.full); }), "runs/s"},
    {"on an empty table", median_of(rounds, [](const pair& x) { return steady_rate(x.empty); }), "runs/s"}};
  return measure;
}

bench_measure measure_snapshot(bench_stage& stage) {
  const auto& url = stage.url();
  auto held = stage.pick<duration>(std::chrono::seconds(25), std::chrono::seconds(4));
  if (!stage.quick() && stage.is_asked_for("snapshot"))
    held = std::chrono::minutes(5);
  const auto seconds = static_cast<double>(held.count()) / 1e6;
  stage.warm_up();
  const auto before = stage.load(url, stage.closed_loop());
  auto options = stage.closed_loop();
  options.length = held;
  load_result under;
  {
    const held_snapshot snapshot(url);
    under = stage.load(url, options);
  }
  const auto after = stage.load(url, stage.closed_loop());
  // What a snapshot does shows the longer it is held.
  const auto late = rate_between(under, seconds * 2 / 3, seconds);
  const auto without = (steady_rate(before) + steady_rate(after)) / 2;
  bench_measure measure;
  measure.reached = late / without;
  measure.figures = {
    {"held for", seconds, "s"},
    {"in its last third", late, "runs/s"},
    {"without", without, "runs/s"},
    {"dead rows at its end", static_cast<double>(under.dead_tuples.value_or(0)), ""}};
  return measure;
}

} // namespace levain::load
