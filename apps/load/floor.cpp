#include "apps/load/floor.hpp"

#include <algorithm>
#include <future>
#include <stdexcept>
#include <unistd.h>

#include "actors/verification.hpp"
#include "apps/load/floor_log.hpp"
#include "apps/load/floor_rows.hpp"
#include "apps/load/load_cost.hpp"
#include "apps/load/process_cpu.hpp"
#include "persistence/database_health.hpp"
#include "persistence/postgres_definition_store.hpp"
#include "persistence/postgres_leases.hpp"
#include "persistence/schema_partitions.hpp"

namespace levain::load {

namespace {

using std::chrono::nanoseconds;
using clock = std::chrono::steady_clock;

constexpr const char* application_name = "levain floor";

void check(const floor_options& options) {
  const auto in_range = [](const std::string& name, uint64_t value, uint64_t most) {
    if (value < 1 || value > most)
      throw std::invalid_argument(name + " must be 1 to " + std::to_string(most) + ", not " + std::to_string(value));
  };
  in_range("batch_runs", options.batch_runs, floor_batch_runs_max);
  in_range("writers", options.writers, floor_writers_max);
  if (options.runs < 1 && !options.duration)
    throw std::invalid_argument("runs must be 1 or more, not 0");
}

/// A node would be slowed down, slow the floor down, and take what is not finished for its own.
void require_no_node(const std::string& url) {
  for (const auto& node : read_database_health(url, application_name).nodes)
    if (node.alive)
      throw std::runtime_error(
        "the node " + node.name + " is alive on this database; a floor needs one that nobody else uses");
}

/// One connection with the rows that it is to write.
struct floor_writer {
  bare_writer connection;
  floor_rows rows;
  std::vector<floor_group> groups;
  std::vector<floor_commit> commits;

  /// Makes the rows of `runs` runs.
  void prepare(uint64_t runs, size_t batch_runs, int64_t first_number) {
    groups.clear();
    for (uint64_t made = 0; made < runs;) {
      const auto in_group = std::min<uint64_t>(batch_runs, runs - made);
      groups.push_back(rows.make(in_group, first_number + static_cast<int64_t>(made)));
      made += in_group;
    }
  }

  /// Writes them, until the time is up. `before` is what was measured before `began`.
  void write(clock::time_point began, nanoseconds before, const std::optional<nanoseconds>& limit) {
    const auto now = [&] { return before + (clock::now() - began); };
    for (const auto& group : groups) {
      const auto group_began = now();
      for (size_t number = 0; number < group.size(); ++number) {
        const auto commit_began = now();
        connection.write(group[number]);
        commits.push_back(
          {.began = commit_began,
           .ended = now(),
           .number = number,
           .group_began = group_began,
           .runs = group[number].runs(),
           .events = group[number].events()});
      }
      commits.back().rss_bytes = rss_bytes_of(getpid()).value_or(0);
      if (limit && commits.back().ended >= *limit)
        return;
    }
  }
};

/// Everything of one floor between its preparation and its result.
class floor_measurement {
public:
  explicit floor_measurement(const floor_options& options)
    : options_(options)
    , numbers_({.url = options.database_url, .application_name = application_name}) {
    const auto workflow = floor_workflow();
    workflow_cache workflows(std::make_unique<postgres_definition_store>(
      postgres_definition_store_options{.url = options.database_url, .application_name = application_name}));
    if (workflows.put(workflow, now_utc()) == definition_store::put_result::conflict)
      throw std::runtime_error("the database has another workflow named " + workflow->name);
    ensure_partitions(options.database_url);
    std::mt19937_64 random(options.seed);
    const tenant_id tenant{make_uuid_v7(now_utc(), {random(), random()})};
    for (size_t i = 0; i < options.writers; ++i) {
      bare_writer connection(options.database_url);
      floor_rows::origin origin;
      origin.tenant = tenant;
      for (size_t shard = i % shard_count; shard < shard_count; shard += options.writers)
        origin.shards.push_back(static_cast<shard_number>(shard));
      origin.epochs = connection.epochs();
      origin.seed = random();
      origin.method = options.method;
      writers_.push_back({std::move(connection), floor_rows(workflow, std::move(origin)), {}, {}});
    }
  }

  bool is_done() const { return options_.duration ? measured_ >= *options_.duration : runs_made_ >= options_.runs; }

  /// Makes rows for one round; not part of what is measured.
  void prepare() {
    const auto left = options_.duration ? floor_round_runs_max : options_.runs - runs_made_;
    const auto runs = std::min(left, floor_round_runs_max);
    tell("preparing");
    const auto first_number = numbers_.reserve_run_numbers(static_cast<int64_t>(runs));
    std::vector<std::future<void>> working;
    uint64_t given = 0;
    for (size_t i = 0; i < writers_.size(); ++i) {
      const auto share = runs / writers_.size() + (i < runs % writers_.size() ? 1 : 0);
      const auto number = first_number + static_cast<int64_t>(given);
      working.push_back(std::async(
        std::launch::async, [this, i, share, number] { writers_[i].prepare(share, options_.batch_runs, number); }));
      given += share;
    }
    for (auto& each : working)
      each.get();
    runs_made_ += runs;
  }

  /// Writes what was prepared, and measures.
  void write() {
    tell("writing");
    const auto limit = options_.duration ? std::optional<nanoseconds>(*options_.duration) : std::nullopt;
    std::vector<std::future<void>> working;
    // Goes before the threads do, so that none of them waits for ever when a later one cannot be made.
    std::promise<clock::time_point> go;
    const auto begin = go.get_future().share();
    for (auto& writer : writers_)
      working.push_back(std::async(std::launch::async, [before = measured_, &writer, begin, limit] {
        const auto began = begin.get();
        writer.write(began, before, limit);
      }));
    const auto cpu_before = own_cpu();
    const auto began = clock::now();
    go.set_value(began);
    for (auto& each : working)
      each.wait();
    measured_ += clock::now() - began;
    own_cpu_ += own_cpu() - cpu_before;
    for (auto& each : working)
      each.get();
    tell("writing");
  }

  void tell_into(load_result& result) {
    std::vector<floor_commit> commits;
    for (const auto& writer : writers_)
      commits.insert(commits.end(), writer.commits.begin(), writer.commits.end());
    tell_commits(std::move(commits), std::chrono::duration<double>(measured_).count(), result);
    if (result.runs > 0)
      result.engine_cpu_ms_per_run = static_cast<double>(own_cpu_.count()) / 1000 / static_cast<double>(result.runs);
    result.peak_rss_bytes = peak_rss_bytes_of(getpid());
  }

  /// Ends the sessions, so that the server's statistics hold all that they did.
  void disconnect() { writers_.clear(); }

private:
  void tell(const char* what) const {
    uint64_t runs = 0;
    for (const auto& writer : writers_)
      for (const auto& commit : writer.commits)
        runs += commit.number + 1 == floor_commits ? commit.runs : 0;
    if (options_.progress)
      options_.progress(what, runs);
  }

  const floor_options& options_;
  postgres_leases numbers_;
  std::vector<floor_writer> writers_;
  uint64_t runs_made_ = 0;
  nanoseconds measured_{0};
  std::chrono::microseconds own_cpu_{0};
};

/// Folds the journals of this floor's runs again. Runs of others that began since then are looked at as well.
void prove(const floor_options& options, timestamp began, load_result& result) {
  if (options.progress)
    options.progress("verifying", result.runs);
  workflow_cache workflows(std::make_unique<postgres_definition_store>(
    postgres_definition_store_options{.url = options.database_url, .application_name = application_name}));
  constexpr std::chrono::minutes statement_timeout{10};
  const auto report = verify_runs(
    {.url = options.database_url, .application_name = application_name, .statement_timeout = statement_timeout},
    workflows, {.scope = operator_scope{}, .since = began}, {.jobs = verify_jobs_default()}, {});
  result.audit_differences = report.different;
  const auto ended = report.equal;
  result.lost = ended < result.runs ? result.runs - ended : 0;
  result.duplicates = ended > result.runs ? ended - result.runs : 0;
}

} // namespace

load_result measure_floor(const floor_options& options) {
  check(options);
  require_no_node(options.database_url);
  load_result result;
  result.kind = "floor";
  result.machine = machine_facts(options.database_url);
  floor_measurement measurement(options);
  const auto began = now_utc();
  result.began_at = to_rfc3339(began);
  measurement.prepare();
  const load_cost cost(options.database_url);
  measurement.write();
  while (!measurement.is_done()) {
    measurement.prepare();
    measurement.write();
  }
  measurement.tell_into(result);
  measurement.disconnect();
  cost.tell(result);
  if (options.proof)
    prove(options, began, result);
  return result;
}

} // namespace levain::load
