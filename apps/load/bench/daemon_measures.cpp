#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/client/exit_status.hpp"
#include "apps/load/bench/bench_daemon.hpp"
#include "apps/load/bench/measures.hpp"
#include "apps/load/process_cpu.hpp"
#include "persistence/run_ends.hpp"

namespace levain::load {

namespace {

using nlohmann::ordered_json;
using namespace std::chrono_literals;

constexpr double bytes_in_kilobyte = 1000;
/// Runs that wait already when the measure of memory begins, so that what an engine needs once is not counted.
constexpr uint64_t waiting_before = 2'000;
/// Nothing was written for so long: every run has reached its timer.
constexpr auto quiet_span = 1500ms;
constexpr auto quiet_look_interval = 100ms;

/// The first attempt fails at once; the run waits an hour for the second.
constexpr const char* timer_definition = R"({
  "workflow": "bench_timer", "version": 1,
  "steps": [ { "name": "wait", "call": { "simulate": { "fail_first": 1 } },
    "retry": { "max_attempts": 2, "initial_interval": "1h", "max_interval": "1h" } } ] })";

/// The call of the first step takes an hour.
constexpr const char* slow_definition = R"({
  "workflow": "bench_slow", "version": 1,
  "steps": [ { "name": "slow", "timeout": "2h", "call": { "simulate": { "time": "1h" } } },
    { "name": "then", "needs": ["slow"], "call": { "simulate": {} } } ] })";

uint64_t live_in(const ordered_json& status) {
  return status.at("runs").at("live").get<uint64_t>();
}

/// Room for all of them at once.
std::vector<std::string> room_for(uint64_t runs) {
  const auto most = std::to_string(runs + runs / 2);
  return {"--runs-running-max", most, "--runs-running-per-tenant-max", most};
}

void wait_until_quiet(bench_daemon& daemon) {
  uint64_t events = 0;
  auto quiet_since = bench_daemon::clock::now();
  daemon.wait_for_status("its runs waited", [&](const ordered_json& status) {
    const auto& journal = status.at("journal");
    const auto now = bench_daemon::clock::now();
    const auto count = journal.at("appends").get<uint64_t>();
    if (count != events || journal.at("appends_waiting").get<uint64_t>() > 0) {
      events = count;
      quiet_since = now;
    }
    if (now - quiet_since >= quiet_span)
      return true;
    std::this_thread::sleep_for(quiet_look_interval);
    return false;
  });
}

double resident(const bench_daemon& daemon) {
  const auto bytes = rss_bytes_of(daemon.process());
  if (!bytes)
    throw command_failed(exit_status::failed, "the daemon's memory cannot be read");
  return static_cast<double>(*bytes);
}

} // namespace

bench_measure measure_memory(bench_stage& stage) {
  const auto runs = stage.pick<uint64_t>(200'000, 20'000);
  const auto server = stage.fresh_server("memory");
  bench_daemon daemon(stage.options(), server->url(), room_for(runs));
  daemon.wait_until_ready();
  start_over_http(daemon.url(), timer_definition, waiting_before);
  wait_until_quiet(daemon);
  const auto before = resident(daemon);
  const auto started = start_over_http(daemon.url(), timer_definition, runs);
  wait_until_quiet(daemon);
  const auto after = resident(daemon);
  const auto live = live_in(daemon.status());
  bench_measure measure;
  measure.reached = (after - before) / static_cast<double>(started.acknowledged) / bytes_in_kilobyte;
  constexpr double bytes_in_megabyte = 1e6;
  measure.figures = {
    {"runs", static_cast<double>(started.acknowledged), ""},
    {"memory before", before / bytes_in_megabyte, "MB"},
    {"memory after", after / bytes_in_megabyte, "MB"}};
  if (live != started.acknowledged + waiting_before)
    measure.shortcomings.push_back(
      fmt::format("{} runs were acknowledged, and {} are live", started.acknowledged + waiting_before, live));
  return measure;
}

bench_measure measure_kill(bench_stage& stage) {
  const auto runs = stage.pick<uint64_t>(100'000, 10'000);
  const auto server = stage.fresh_server("kill");
  started_runs started;
  {
    bench_daemon killed(stage.options(), server->url(), room_for(runs));
    killed.wait_until_ready();
    started = start_over_http(killed.url(), slow_definition, runs);
    killed.kill();
  }
  bench_daemon daemon(stage.options(), server->url(), room_for(runs));
  const auto ready = daemon.wait_until_ready();
  uint64_t live = 0;
  const auto took = daemon.wait_for_status("all runs were recovered", [&](const ordered_json& status) {
    live = live_in(status);
    return !status.at("recovery").at("going_on").get<bool>() && status.at("shards_ready") == shard_count;
  });
  const auto ends = count_run_ends(server->url(), {started.tenant}, {});
  const auto lost = started.acknowledged > live ? started.acknowledged - live : 0;
  const auto surplus = ends.runs > started.acknowledged ? ends.runs - started.acknowledged : 0;
  stage.note_proof(
    started.acknowledged, lost, surplus + ends.several,
    lost > 0 ? fmt::format("{} runs were acknowledged before the kill, and {} go on", started.acknowledged, live) : "");
  bench_measure measure;
  measure.reached = took.count();
  measure.figures = {
    {"runs", static_cast<double>(started.acknowledged), ""},
    {"recovered", static_cast<double>(live), ""},
    {"ready after", ready.count(), "s"}};
  return measure;
}

bench_measure measure_startup(bench_stage& stage) {
  const auto& url = stage.url();
  constexpr double millis_in_second = 1000;
  const auto once = [&] {
    bench_daemon daemon(stage.options(), url);
    return daemon.wait_until_ready().count() * millis_in_second;
  };
  // The first one finds the program's pages on the disk.
  const auto first = once();
  std::vector<double> times;
  for (size_t i = 0; i < stage.rounds(); ++i)
    times.push_back(once());
  bench_measure measure;
  measure.reached = median(times);
  measure.figures = {
    {"first", first, "ms"},
    {"fastest", *std::min_element(times.begin(), times.end()), "ms"},
    {"slowest", *std::max_element(times.begin(), times.end()), "ms"}};
  return measure;
}

} // namespace levain::load
