#include <algorithm>

#include "apps/load/bench/bench_row.hpp"
#include "apps/load/bench/measures.hpp"

namespace levain::load {

namespace {

constexpr bool more = true;
constexpr bool less = false;

} // namespace

const std::vector<bench_row>& bench_rows() {
  static const std::vector<bench_row> rows{
    {"strict", "strict runs, engine / floor", "", more, 0.45, 0.65, measure_strict},
    {"none", "runs of effect none, engine / floor of strict", "", more, 0.9, 1.3, measure_none},
    {"wal", "write-ahead log of a strict run", "KB", less, 5.2, 4, measure_wal},
    {"alone", "a strict run alone / six bare commits", "", less, 2, 1.3, measure_alone},
    {"half_rate", "p99 of a run at half the maximum rate", "ms", less, 60, 25, measure_half_rate},
    {"memory", "memory of a run that waits for a timer", "KB", less, 4, 1.5, measure_memory},
    {"http", "starts over HTTP in lists of 500 / in-process", "", more, 0.8, 0.95, measure_http},
    {"big_table", "runs/s on many finished runs / on none", "", more, 0.85, 0.97, measure_big_table},
    {"snapshot", "runs/s under a held snapshot / without", "", more, 0.9, 0.98, measure_snapshot},
    {"kill", "kill -9 of a full daemon: until all runs move again", "s", less, 15, 4, measure_kill},
    {"startup", "start of the daemon until it is ready", "ms", less, 300, 80, measure_startup},
    {"overload", "3x capacity, default limits: p99 of accepted runs", "s", less, 2, 0.5, measure_overload},
    {"overload_bounded", "3x capacity, limits of half a second: the same", "s", less, 2, 0.5, measure_overload_bounded},
    {"flood", "one tenant floods 100x: the others' p99 / alone", "", less, 1.5, 1.15, measure_flood},
    {"ageing", "normal under critical runs: longest wait / bound", "", less, 1, std::nullopt, measure_ageing},
  };
  return rows;
}

const bench_row* find_bench_row(std::string_view name) {
  const auto& rows = bench_rows();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const bench_row& each) { return each.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

std::string_view to_string(bench_verdict verdict) {
  switch (verdict) {
  case bench_verdict::aim_met:
    return "aim met";
  case bench_verdict::met:
    return "met";
  case bench_verdict::short_of_it:
    return "short";
  }
  return "";
}

bench_verdict judge(const bench_row& row, const bench_measure& measure) {
  const auto reaches = [&](double bound) {
    return row.more_is_better ? measure.reached >= bound : measure.reached <= bound;
  };
  if (!measure.shortcomings.empty() || !reaches(row.at_least))
    return bench_verdict::short_of_it;
  return row.aim && reaches(*row.aim) ? bench_verdict::aim_met : bench_verdict::met;
}

} // namespace levain::load
