#include <algorithm>

#include <fmt/format.h>

#include "apps/load/bench/bench_stage.hpp"
#include "apps/load/bench/measures.hpp"
#include "apps/load/process_cpu.hpp"
#include <unistd.h>

namespace levain::load {

namespace {

constexpr double millis_in_second = 1000;
constexpr double bytes_in_megabyte = 1e6;

uint64_t sum_of(const std::map<std::string, uint64_t>& counts) {
  uint64_t sum = 0;
  for (const auto& [name, count] : counts)
    sum += count;
  return sum;
}

uint64_t most_in_flight(const load_result& result) {
  uint64_t most = 0;
  for (const auto& each : result.over_time)
    most = std::max(most, each.in_flight);
  return most;
}

/// What one run that acts may take at the most before memory counts as unbounded: several times what one takes that
/// waits, because of its messages and of events on their way to the disk.
constexpr double bytes_of_run_max = 16'000;
/// What an engine and a harness need once.
constexpr double bytes_once_max = 100e6;

bench_measure offer_thrice(bench_stage& stage, duration length, const node_options& node) {
  const double rate = 3 * stage.capacity();
  load_options options;
  options.pace.rate = rate;
  options.length = length;
  options.ask_again = false;
  options.drain = std::chrono::minutes(3);
  const auto memory_before = rss_bytes_of(getpid()).value_or(0);
  const auto result = stage.load(stage.url(), options, node);
  const auto grown =
    std::max(0.0, static_cast<double>(result.peak_rss_bytes.value_or(0)) - static_cast<double>(memory_before));
  const auto refused = sum_of(result.refused);
  const auto offered = result.runs + refused + sum_of(result.errors);
  const auto in_flight = static_cast<double>(most_in_flight(result));
  bench_measure measure;
  measure.reached = result.latency_ms.p99 / millis_in_second;
  measure.figures = {
    {"offered", static_cast<double>(offered), ""},
    {"at", rate, "runs/s"},
    {"refused", static_cast<double>(refused), ""},
    {"accepted p50", result.latency_ms.p50 / millis_in_second, "s"},
    {"most in flight", in_flight, ""},
    {"memory grew by", grown / bytes_in_megabyte, "MB"}};
  if (refused == 0)
    measure.shortcomings.emplace_back("nothing was refused: the limits are wider than what was offered");
  for (const auto& [reason, count] : result.refused)
    if (reason != "busy")
      measure.shortcomings.push_back(fmt::format("{} were refused as {}, not as busy", count, reason));
  if (const auto bound = bytes_once_max + in_flight * bytes_of_run_max; grown > bound)
    measure.shortcomings.push_back(fmt::format(
      "memory grew by {:.0f} MB, and {:.0f} runs in flight explain {:.0f} MB", grown / bytes_in_megabyte, in_flight,
      bound / bytes_in_megabyte));
  return measure;
}

} // namespace

bench_measure measure_overload(bench_stage& stage) {
  return offer_thrice(stage, stage.pick<duration>(std::chrono::seconds(60), std::chrono::seconds(6)), {});
}

bench_measure measure_overload_bounded(bench_stage& stage) {
  // A quarter of a second's work that acts, and another that waits for it.
  const auto part = std::max<size_t>(1, static_cast<size_t>(stage.capacity() / 4));
  node_options node;
  node.dispatcher.runs_running_max = part;
  node.dispatcher.runs_running_per_tenant_max = part;
  node.dispatcher.runs_waiting_max = part;
  node.dispatcher.starts_unsettled_max = part;
  auto measure = offer_thrice(stage, stage.pick<duration>(std::chrono::seconds(10), std::chrono::seconds(5)), node);
  measure.figures.push_back({"of each limit", static_cast<double>(part), ""});
  return measure;
}

bench_measure measure_flood(bench_stage& stage) {
  // Five tenants that take a tenth of what the engine can do, and one that asks for twice as much as it can.
  constexpr size_t others = 5;
  constexpr double flood = 100;
  const double each_rate = stage.capacity() / 50;
  load_options options;
  options.length = stage.pick<duration>(std::chrono::seconds(8), std::chrono::seconds(4));
  // An engine that has just begun is slow for a moment, with a flood or without.
  options.pace.ramp = std::chrono::seconds(1);
  options.ask_again = false;
  options.drain = std::chrono::minutes(3);
  options.mix.tenants.assign(others, 1);
  options.pace.rate = each_rate * others;
  const auto alone = stage.load(stage.url(), options);
  options.mix.tenants.insert(options.mix.tenants.begin(), flood);
  options.pace.rate = each_rate * (others + flood);
  const auto flooded = stage.load(stage.url(), options);

  const auto groups = [](const load_result& result, size_t begin, uint64_t& runs) {
    std::vector<latency_figures> found;
    size_t number = 0;
    for (const auto& [name, group] : result.tenants)
      if (number++ >= begin) {
        found.push_back(group.latency_ms);
        runs += group.runs;
      }
    return found;
  };
  uint64_t runs_alone = 0;
  uint64_t runs_flooded = 0;
  const auto before = p99_of(groups(alone, 0, runs_alone));
  const auto during = p99_of(groups(flooded, 1, runs_flooded));
  bench_measure measure;
  measure.reached = before > 0 ? during / before : 0;
  measure.figures = {
    {"the others' p99", during, "ms"},
    {"alone", before, "ms"},
    {"their runs", static_cast<double>(runs_flooded), ""},
    {"alone", static_cast<double>(runs_alone), ""},
    {"flood", each_rate * flood, "runs/s"},
    {"of them refused", static_cast<double>(sum_of(flooded.refused)), ""}};
  // Chance says which start is whose, so the numbers differ a little.
  constexpr double fewest = 0.9;
  if (runs_alone == 0)
    measure.shortcomings.emplace_back("no run of the others ended while they were alone");
  if (static_cast<double>(runs_flooded) < fewest * static_cast<double>(runs_alone))
    measure.shortcomings.emplace_back("starts of the others were refused as well");
  return measure;
}

bench_measure measure_ageing(bench_stage& stage) {
  const auto interval = stage.pick<duration>(std::chrono::seconds(2), std::chrono::milliseconds(500));
  node_options node;
  node.dispatcher.runs_running_max = 4;
  node.dispatcher.runs_running_per_tenant_max = 4;
  node.dispatcher.ageing_interval = interval;
  load_options options;
  options.shape.steps = 1;
  options.shape.step_time = std::chrono::milliseconds(50);
  // More stand in line than can begin, nearly all of them critical: without ageing a normal one never begins.
  options.pace.in_flight = 24;
  options.mix.priorities = {1, 0, 40};
  options.length = stage.pick<duration>(std::chrono::seconds(14), std::chrono::seconds(6));
  const auto result = stage.load(stage.url(), options, node);
  const auto found = result.priorities.find("normal");
  const auto bound = static_cast<double>((interval * 3).count()) / 1000;
  bench_measure measure;
  if (found == result.priorities.end()) {
    measure.shortcomings.emplace_back("no normal run ended");
    return measure;
  }
  const auto& normal = found->second.latency_ms;
  const auto own = static_cast<double>(options.shape.step_time.count()) / 1000;
  measure.reached = (normal.max - own) / bound;
  measure.figures = {
    {"longest wait", normal.max - own, "ms"},
    {"bound", bound, "ms"},
    {"median wait", normal.p50 - own, "ms"},
    {"normal runs", static_cast<double>(normal.count), ""},
    {"critical runs", static_cast<double>(result.runs - found->second.runs), ""}};
  // Those that began before the line had formed did not have to wait.
  if (normal.p50 - own < bound / 3)
    measure.shortcomings.emplace_back("most normal runs began before they had aged: the line was too short");
  return measure;
}

} // namespace levain::load
