#pragma once

#include "apps/load/bench/bench_row.hpp"

// How each row is measured; see docs/performance.md for what exactly each of them does.

namespace levain::load {

// ---- throughput_measures.cpp: engine and floor in turns -----------------------
bench_measure measure_strict(bench_stage& stage);
bench_measure measure_none(bench_stage& stage);
bench_measure measure_wal(bench_stage& stage);
bench_measure measure_http(bench_stage& stage);

// ---- latency_measures.cpp: little load ----------------------------------------
bench_measure measure_alone(bench_stage& stage);
bench_measure measure_half_rate(bench_stage& stage);

// ---- daemon_measures.cpp: a process of its own --------------------------------
bench_measure measure_memory(bench_stage& stage);
bench_measure measure_kill(bench_stage& stage);
bench_measure measure_startup(bench_stage& stage);

// ---- database_measures.cpp: what a database goes through ----------------------
bench_measure measure_big_table(bench_stage& stage);
bench_measure measure_snapshot(bench_stage& stage);

// ---- admission_measures.cpp: too much of it -----------------------------------
bench_measure measure_overload(bench_stage& stage);
bench_measure measure_overload_bounded(bench_stage& stage);
bench_measure measure_flood(bench_stage& stage);
bench_measure measure_ageing(bench_stage& stage);

} // namespace levain::load
