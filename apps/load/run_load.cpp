#include "apps/load/run_load.hpp"

#include <random>

#include <fmt/format.h>

#include "apps/load/load_clock.hpp"
#include "apps/load/load_cost.hpp"
#include "apps/load/load_proof.hpp"
#include "apps/load/process_cpu.hpp"
#include "apps/load/shape.hpp"

namespace levain::load {

namespace {

/// The daemons' clocks may be others.
constexpr std::chrono::minutes clock_difference_max{10};

/// New ones for every load, whatever its seed: so nobody else's runs are counted.
std::vector<tenant_id> make_tenants(size_t count) {
  std::random_device chance;
  const auto word = [&] { return static_cast<uint64_t>(chance()) << 32 | chance(); };
  std::vector<tenant_id> tenants;
  for (size_t i = 0; i < count; ++i) {
    const uuid_entropy entropy{word(), word()};
    tenants.push_back({make_uuid_v7(now_utc(), entropy)});
  }
  return tenants;
}

load_work work_of(const load_options& options) {
  return {
    options.definition.empty() ? shape_definition(options.shape) : options.definition,
    options.input.empty() ? json_of_bytes(options.input_bytes) : options.input,
    make_tenants(options.mix.tenants.size())};
}

/// Whatever happens, nobody is told of anything after the driver has gone.
struct stopping {
  load_target& target;
  explicit stopping(load_target& what)
    : target(what) {}
  ~stopping() { target.stop(); }
  stopping(const stopping&) = delete;
  stopping& operator=(const stopping&) = delete;
};

void tell_engine(const engine_figures& before, const engine_figures& after, load_result& result) {
  result.peak_rss_bytes = after.peak_rss_bytes;
  const auto batches = static_cast<double>(after.batches - before.batches);
  if (batches > 0)
    result.rows_per_batch = static_cast<double>(after.events - before.events) / batches;
  if (result.runs == 0)
    return;
  const auto runs = static_cast<double>(result.runs);
  result.batches_per_run = batches / runs;
  if (before.cpu_ms && after.cpu_ms)
    result.engine_cpu_ms_per_run = (*after.cpu_ms - *before.cpu_ms) / runs;
}

loaded run_load(
  const load_options& options, load_target& target, const std::string& database_url, const load_watch& watch,
  duration clocks_apart) {
  loaded done;
  const auto work = work_of(options);
  steady_load_clock clock;
  load_driver driver(options, work.tenants, target, clock, watch);
  const stopping at_the_end(target);
  target.begin(work, driver);
  const auto began = now_utc();
  done.result.began_at = to_rfc3339(began);
  done.result.settings = settings_of(options);
  done.result.settings["target"] = target.name();
  done.result.machine = database_url.empty() ? machine_facts() : machine_facts(database_url);
  std::optional<load_cost> cost;
  if (!database_url.empty())
    cost.emplace(database_url);
  const auto before = target.figures();
  const auto driven = driver.drive(done.result);
  tell_engine(before, target.figures(), done.result);
  // The writers' sessions tell the server's statistics what they did when they end.
  target.stop();
  if (cost)
    cost->tell(done.result);
  const proof_scope scope{database_url, work.tenants, began - clocks_apart};
  if (!options.may_fail && !database_url.empty() && done.result.failed() > 0)
    done.failure = failure_of_one(scope);
  if (!options.proof)
    return done;
  if (database_url.empty())
    judge_by_callers(driven, done.result);
  else
    done.complaints = prove_load(scope, driven, done.result);
  return done;
}

} // namespace

loaded load_node(
  const load_options& options, const node_options& node, const std::string& database_url, const load_watch& watch) {
  forget_peak_rss();
  node_target target(node, database_url);
  auto done = run_load(options, target, database_url, watch, duration(0));
  auto& settings = done.result.settings;
  settings["writers"] = std::to_string(node.writers);
  settings["threads"] = node.threads == 0 ? "one per core" : std::to_string(node.threads);
  settings["batch_runs_max"] = std::to_string(node.persistence.batch_runs_max);
  settings["engine_cpu"] = "of the engine and the harness together";
  return done;
}

loaded load_daemons(
  const load_options& options, const daemon_options_of_load& daemons, const std::string& database_url,
  const load_watch& watch) {
  http_target target(daemons);
  auto done = run_load(options, target, database_url, watch, clock_difference_max);
  auto& settings = done.result.settings;
  settings["list"] = std::to_string(daemons.list_max);
  settings["connections"] = std::to_string(daemons.connections);
  settings["engine_cpu"] = "of the daemons";
  return done;
}

} // namespace levain::load
