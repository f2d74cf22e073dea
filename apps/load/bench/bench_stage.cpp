#include "apps/load/bench/bench_stage.hpp"

#include <algorithm>
#include <csignal>
#include <map>

#include <fmt/format.h>

#include "apps/client/exit_status.hpp"
#include "persistence/migrator.hpp"

namespace levain::load {

namespace {

constexpr size_t complaints_told_max = 10;
/// Between two moments of a closed loop.
constexpr std::chrono::milliseconds moment_interval{100};

} // namespace

bool bench_proof::holds() const {
  return lost == 0 && duplicates == 0 && audit_differences == 0 && complaints.empty();
}

bench_stage::bench_stage(bench_options options)
  : options_(std::move(options)) {}

bool bench_stage::is_asked_for(std::string_view row) const {
  return std::find(options_.only.begin(), options_.only.end(), row) != options_.only.end();
}

duration bench_stage::round_length() const {
  return pick<duration>(std::chrono::milliseconds(3000), std::chrono::milliseconds(1200));
}

void bench_stage::require_going_on() const {
  if (options_.stopped && options_.stopped())
    throw command_failed(exit_status::failed, "interrupted");
}

// ---- servers ------------------------------------------------------------------

bench_server::bench_server(const std::filesystem::path& directory)
  : server_(embedded_postgres::start({.directory = directory}))
  , url_(server_->url()) {
  migrate_up(url_);
}

bench_server::~bench_server() {
  // An immediate shutdown: what a clean one writes takes as long as a row.
  if (server_->running())
    ::kill(server_->server_pid(), SIGQUIT);
}

std::unique_ptr<bench_server> bench_stage::fresh_server(const std::string& name) const {
  require_going_on();
  const auto directory = options_.directory / name;
  if (std::filesystem::exists(directory))
    throw command_failed(
      exit_status::failed,
      fmt::format(
        "{} is there already; a bench begins with empty databases: name another --directory", directory.string()));
  return std::make_unique<bench_server>(directory);
}

const std::string& bench_stage::url() {
  if (!server_)
    server_ = fresh_server("shared");
  return server_->url();
}

// ---- loads --------------------------------------------------------------------

load_result bench_stage::load(const std::string& url, load_options options, node_options node) {
  require_going_on();
  node.name = "bench";
  // Nobody else is on the bench's databases.
  node.sole = true;
  auto done = load_node(options, node, url, {{}, options_.stopped});
  note(done);
  return std::move(done.result);
}

load_result bench_stage::load_daemon(const std::string& url, const std::string& daemon_url, load_options options) {
  require_going_on();
  daemon_options_of_load daemons;
  daemons.urls = {daemon_url};
  auto done = load_daemons(options, daemons, url, {{}, options_.stopped});
  note(done);
  return std::move(done.result);
}

load_result bench_stage::floor(const std::string& url, floor_options options) const {
  require_going_on();
  options.database_url = url;
  // What it writes is proven by tests; here it is only the measure.
  options.proof = false;
  return measure_floor(options);
}

void bench_stage::note(const loaded& done) {
  require_going_on();
  const auto& result = done.result;
  ++proof_.loads;
  proof_.runs += result.runs;
  proof_.lost += result.lost.value_or(0);
  proof_.duplicates += result.duplicates.value_or(0);
  proof_.audit_differences += result.audit_differences.value_or(0);
  auto wrong = done.complaints;
  for (const auto& [what, count] : result.errors)
    wrong.push_back(fmt::format("{} requests failed: {}", count, what));
  for (auto& each : wrong)
    if (proof_.complaints.size() < complaints_told_max)
      proof_.complaints.push_back(std::move(each));
}

void bench_stage::note_proof(uint64_t runs, uint64_t lost, uint64_t duplicates, const std::string& complaint) {
  ++proof_.loads;
  proof_.runs += runs;
  proof_.lost += lost;
  proof_.duplicates += duplicates;
  if (!complaint.empty() && proof_.complaints.size() < complaints_told_max)
    proof_.complaints.push_back(complaint);
}

// ---- what several rows need -----------------------------------------------------

load_options bench_stage::closed_loop() const {
  load_options options;
  options.pace.in_flight = in_flight;
  options.length = round_length();
  options.interval = moment_interval;
  return options;
}

void bench_stage::warm_up() {
  if (warm_)
    return;
  load(url(), closed_loop());
  warm_ = true;
}

const std::vector<strict_round>& bench_stage::strict_rounds() {
  if (!strict_rounds_.empty())
    return strict_rounds_;
  warm_up();
  constexpr uint64_t floor_runs = 25'000;
  constexpr uint64_t floor_runs_quick = 8'000;
  std::vector<strict_round> rounds;
  for (size_t i = 0; i < this->rounds(); ++i) {
    strict_round round;
    round.floor = floor(url(), {.runs = pick(floor_runs, floor_runs_quick), .seed = i});
    auto options = closed_loop();
    round.strict = load(url(), options);
    options.shape.external = false;
    round.none = load(url(), options);
    rounds.push_back(std::move(round));
  }
  strict_rounds_ = std::move(rounds);
  return strict_rounds_;
}

double bench_stage::capacity() {
  if (capacity_)
    return *capacity_;
  std::vector<load_result> loads;
  if (strict_rounds_.empty()) {
    warm_up();
    for (size_t i = 0; i < rounds(); ++i)
      loads.push_back(load(url(), closed_loop()));
  } else {
    for (const auto& each : strict_rounds_)
      loads.push_back(each.strict);
  }
  capacity_ = median_of(loads, steady_rate);
  if (*capacity_ <= 0)
    throw command_failed(exit_status::failed, "no run ended, so the maximum rate is not known");
  return *capacity_;
}

// ---- figures ------------------------------------------------------------------

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values.at(middle) : (values.at(middle - 1) + values.at(middle)) / 2;
}

double steady_rate(const load_result& result) {
  constexpr double filled_after = 0.5;
  double full_until = 0;
  for (const auto& each : result.over_time)
    if (each.started > 0)
      full_until = each.at_s;
  const auto rate = rate_between(result, filled_after, full_until);
  return rate > 0 ? rate : result.runs_per_s;
}

double rate_between(const load_result& result, double from, double to) {
  uint64_t ended = 0;
  double seconds = 0;
  double before = 0;
  for (const auto& each : result.over_time) {
    if (before >= from && each.at_s <= to) {
      ended += each.ended;
      seconds += each.at_s - before;
    }
    before = each.at_s;
  }
  return seconds > 0 ? static_cast<double>(ended) / seconds : 0;
}

double p99_of(const std::vector<latency_figures>& groups) {
  std::map<double, uint64_t> counts;
  uint64_t all = 0;
  for (const auto& group : groups)
    for (const auto& row : group.histogram) {
      counts[row.upper_ms] += row.count;
      all += row.count;
    }
  constexpr double part = 0.99;
  const double wanted = part * static_cast<double>(all);
  double seen = 0;
  double lower = 0;
  for (const auto& [upper, count] : counts) {
    const auto here = static_cast<double>(count);
    if (here > 0 && seen + here >= wanted)
      return lower + (upper - lower) * (wanted - seen) / here;
    seen += here;
    lower = upper;
  }
  return 0;
}

} // namespace levain::load
