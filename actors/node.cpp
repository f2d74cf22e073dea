#include "actors/node.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <mutex>
#include <random>
#include <spdlog/spdlog.h>
#include <thread>

#include "actors/calls/leased_calls.hpp"
#include "actors/cluster/lease_messages.hpp"
#include "actors/cluster/node_wire.hpp"
#include "actors/count_rate.hpp"
#include "actors/definitions.hpp"
#include "actors/dispatcher.hpp"
#include "actors/endings.hpp"
#include "actors/lease_health.hpp"
#include "actors/lease_keeper.hpp"
#include "actors/node_standing.hpp"
#include "actors/persistence.hpp"
#include "actors/recovery.hpp"
#include "actors/run_budget.hpp"
#include "actors/steady_time.hpp"
#include "actors/timekeeper.hpp"
#include "actors/wanting_calls.hpp"
#include "actors/watchdog.hpp"
#include "actors/workflow_cache.hpp"
#include "persistence/connection_string.hpp"
#include "persistence/log_quoted.hpp"
#include "persistence/migrations.hpp"
#include "persistence/postgres_definition_store.hpp"
#include "persistence/postgres_journal.hpp"
#include "persistence/postgres_leases.hpp"

namespace levain {

namespace {

/// What a takeover may wait for locks, as a part of the lease: several tries and heartbeats fit into one.
constexpr int take_lock_divisor = 5;

/// Random bytes from the system's generator, one engine per thread.
uuid_entropy system_entropy() {
  thread_local std::mt19937_64 engine = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return {engine(), engine()};
}

/// When the grace is over, for an actor that has nothing to drain to say so.
constexpr std::chrono::milliseconds drain_grace_min{100};

struct system_config : caf::actor_system_config {
  explicit system_config(const node_options& options) {
    const size_t cores = std::max(std::thread::hardware_concurrency(), 1U);
    set("scheduler.max-threads", options.threads > 0 ? options.threads : cores);
    // Idle workers of the default, work stealing, look for work every 50 us and later every 10 ms: a fifth of the
    // processor's time under load, and a wait for whoever comes alone. These sleep until there is some.
    set("scheduler.policy", caf::atom("sharing"));
  }
};

} // namespace

node_ports postgres_ports(const std::string& given, std::chrono::milliseconds lease) {
  // A node can do nothing with a server that only reads.
  const auto url = with_primary(given);
  return {
    [url, lease](const std::string& name) -> std::unique_ptr<journal> {
      return std::make_unique<postgres_journal>(postgres_journal_options{
        .url = url, .application_name = "levain " + name, .idle_in_transaction_timeout = lease});
    },
    [url]() -> std::unique_ptr<definition_store> {
      return std::make_unique<postgres_definition_store>(postgres_definition_store_options{.url = url});
    },
    [url, lease]() -> std::unique_ptr<leases> {
      return std::make_unique<postgres_leases>(postgres_leases_options{
        .url = url,
        .statement_timeout = lease,
        .take_lock_timeout = lease / take_lock_divisor,
        .idle_in_transaction_timeout = lease});
    },
  };
}

struct node::impl {
  impl(node_options given, node_ports ports);

  /// Whoever speaks to other nodes lets them serve what is theirs.
  template <class Asked>
  void ask(Asked asked) {
    if (wire)
      caf::anon_send(wire->router(), std::move(asked));
    else
      caf::anon_send(dispatch, std::move(asked));
  }
  void check_peers(leases& store);
  void open_wire();
  void name_what_is_wanting();
  void watch(const caf::actor& core, const char* name);
  void die(const std::string& reason);
  std::function<node_figures()> figures_for_others() const;
  void stop();
  template <class Handle>
  void
  drain_one(caf::scoped_actor& self, const Handle& who, const char* name, std::chrono::steady_clock::time_point by);

  node_options options;
  system_config config;
  caf::actor_system system;
  std::shared_ptr<persistence_status> writer_status = std::make_shared<persistence_status>();
  std::shared_ptr<dispatcher_figures> run_figures = std::make_shared<dispatcher_figures>();
  std::shared_ptr<lease_health> heartbeats = std::make_shared<lease_health>();
  std::shared_ptr<node_standing> standing = std::make_shared<node_standing>();
  std::shared_ptr<function_executor> functions;
  std::shared_ptr<node_environment> environment = std::make_shared<node_environment>();
  dispatcher_actor dispatch;
  lease_keeper_actor lease_keeper_handle;
  /// Null at a node that speaks to nobody.
  std::unique_ptr<node_wire> wire;
  definitions_actor definition;
  endings_actor endings_handle;
  std::shared_ptr<liveness_log> liveness = std::make_shared<liveness_log>();
  /// Null when it is not to look.
  watchdog_actor looks;

  std::mutex mutex;
  std::function<void(std::string)> fatal;
  /// A death nobody was there to be told of.
  std::string died_early;
  std::atomic<bool> stopping{false};
  bool stopped = false;
};

node::impl::impl(node_options given, node_ports ports)
  : options(std::move(given))
  , config(options)
  , system(config)
  , functions(std::make_shared<function_executor>(options.function_threads)) {
  if (options.cluster.listen) {
    wire = std::make_unique<node_wire>(options.cluster, options.name, steady_utc);
    check_peers(*ports.make_leases());
  }
  auto workflows = std::make_shared<workflow_cache>(ports.make_definitions(), options.definitions_cache_bytes_max);
  environment->now = now_utc;
  environment->steady = steady_utc;
  environment->entropy = system_entropy;
  environment->variables = options.variables;
  environment->run = options.run;
  environment->wanting = std::make_shared<wanting_calls>(options.name);
  environment->call_memory = std::make_shared<call_budget>(options.calls_bytes_max);
  environment->run_memory = std::make_shared<run_budget>(options.dispatcher.runs_bytes_max);
  const auto lease =
    std::make_shared<lease_watch>(options.lease.lease_duration, [] { return std::chrono::steady_clock::now(); });
  environment->http = std::make_shared<http_calls>(options.http);
  environment->functions = functions;
  // Who is alone loses nothing to others while it stands still.
  if (!options.sole) {
    environment->http = std::make_shared<leased_calls>(environment->http, lease);
    environment->functions = std::make_shared<leased_calls>(environment->functions, lease);
  }
  if (wire)
    environment->workers = wire->workers();
  environment->why_no_database = [status = writer_status] { return status->failing_reason(); };
  environment->why_held_up = [status = writer_status](const run_id& run) { return status->held_up.reason(run); };
  environment->append_pressure_now = [status = writer_status, now = environment->steady] {
    return status->pressure(now());
  };
  environment->timekeeper = system.spawn(timekeeper, environment->steady);
  endings_handle = system.spawn(
    endings,
    endings_beginning{
      make_uuid_v7(now_utc(), system_entropy()), options.endings, environment->steady, environment->timekeeper});
  environment->endings = endings_handle;
  environment->recovery = system.spawn<caf::detached>(
    recovery, recovery_beginning{
                ports.make_journal("recovery"), workflows, options.recovery, writer_status, environment->run_memory});

  lease_beginning leasing;
  leasing.store = ports.make_leases();
  leasing.options = options.lease;
  leasing.node = {{}, options.name, options.address, LEVAIN_VERSION};
  leasing.node.schema_version = newest_migration();
  leasing.mint = [lease] {
    lease->began_anew();
    return make_uuid_v7(now_utc(), system_entropy());
  };
  leasing.sole = options.sole;
  leasing.numbers_block = options.dispatcher.run_numbers_block;
  leasing.numbers_first_block = options.dispatcher.run_numbers_first_block;
  leasing.lacking = [workflows, variables = options.variables,
                     gate = wire != nullptr](const workflow_version& which) -> std::vector<std::string> {
    try {
      const auto found = workflows->find(which.name, which.version);
      return found ? wanting_for(*found, variables, gate) : std::vector<std::string>();
    } catch (const definition_unreadable&) {
      return {}; // Its runs say so themselves.
    }
  };
  leasing.calls_want = [wanting = environment->wanting] { return !wanting->counts().empty(); };
  leasing.stands = [standing = standing](bool draining, const std::string& lacks) { standing->set(draining, lacks); };
  leasing.figures = figures_for_others();
  leasing.asking = [health = heartbeats, lease] {
    health->begin(std::chrono::steady_clock::now(), now_utc());
    lease->asking();
  };
  leasing.answered = [health = heartbeats, lease](const std::optional<std::string>& failure) {
    if (failure)
      return health->failed(*failure);
    health->answered();
    lease->answered();
  };
  leasing.refused = [this](const std::string& reason) { die(reason); };
  if (wire) {
    leasing.viewed = [this](const cluster_view& view, const uuid& self) { wire->know(view, self); };
    leasing.released = [this] { wire->released(); };
  }
  lease_keeper_handle = system.spawn<caf::detached>(lease_keeper, std::move(leasing));

  const auto fenced = [to = lease_keeper_handle](shard_lease shard) { caf::anon_send(to, shard_fenced{shard}); };
  for (size_t i = 0; i < std::max<size_t>(options.writers, 1); ++i)
    environment->writers.push_back(system.spawn<caf::detached>(
      persistence, ports.make_journal("writer-" + std::to_string(i)), options.persistence, environment->steady,
      environment->entropy, writer_status, fenced));

  dispatch =
    system.spawn(dispatcher, dispatcher_beginning{environment, options.dispatcher, lease_keeper_handle, run_figures});
  definition = system.spawn<caf::detached>(definitions, workflows, environment->now);

  if (!options.watchdog.off)
    looks =
      system.spawn(watchdog, watchdog_beginning{environment, dispatch, options.watchdog, writer_status, liveness});

  if (looks)
    watch(caf::actor_cast<caf::actor>(looks), "watchdog");
  watch(caf::actor_cast<caf::actor>(environment->timekeeper), "timekeeper");
  watch(caf::actor_cast<caf::actor>(environment->recovery), "recovery");
  watch(caf::actor_cast<caf::actor>(endings_handle), "endings");
  watch(caf::actor_cast<caf::actor>(lease_keeper_handle), "lease keeper");
  watch(caf::actor_cast<caf::actor>(dispatch), "dispatcher");
  watch(caf::actor_cast<caf::actor>(definition), "definitions");
  for (const auto& writer : environment->writers)
    watch(caf::actor_cast<caf::actor>(writer), "persistence");
  if (wire)
    open_wire();
  caf::send_as(dispatch, lease_keeper_handle, beat{});
  name_what_is_wanting();
}

/// Logs the registered workflows that have calls which this node cannot make.
void node::impl::name_what_is_wanting() {
  caf::anon_send(definition, list_workflows{[variables = options.variables, gate = wire != nullptr](const auto& found) {
                   const auto* records = std::get_if<std::vector<definition_record>>(&found);
                   if (records == nullptr)
                     return spdlog::warn("workflows_not_looked_at reason={}", log_quoted(std::get<std::string>(found)));
                   for (const auto& each : *records)
                     for (const auto& what : wanting_for(each, variables, gate))
                       spdlog::warn(
                         "workflow_waits workflow={} version={} for={}", each.name, each.version, log_quoted(what));
                 }});
}

/// Throws as `cluster_wire::check_peers`. A database that cannot be asked now is asked again by the lease keeper.
void node::impl::check_peers(leases& store) {
  cluster_view listed;
  try {
    listed = store.view();
  } catch (const std::exception& failure) {
    spdlog::warn("peers_unchecked reason={}", log_quoted(failure.what()));
    return;
  }
  wire->check_peers(listed);
}

/// Throws as `cluster_wire::open`; everybody has ended then.
void node::impl::open_wire() {
  try {
    wire->open({&system, environment->timekeeper, dispatch, definition, lease_keeper_handle, [this](const auto& what) {
                  if (!stopping.load())
                    die(what);
                }});
  } catch (...) {
    stop();
    throw;
  }
}

void node::impl::watch(const caf::actor& core, const char* name) {
  core->attach_functor([this, name](const caf::error& reason) {
    if (stopping.load())
      return;
    const auto text = std::string("the ") + name + " died: " + caf::to_string(reason);
    spdlog::critical("core_actor_died actor={} reason={}", log_quoted(name), log_quoted(caf::to_string(reason)));
    die(text);
  });
}

void node::impl::die(const std::string& reason) {
  std::lock_guard guard(mutex);
  if (fatal)
    fatal(reason);
  else
    died_early = reason;
}

/// To be called on one thread.
std::function<node_figures()> node::impl::figures_for_others() const {
  return [status = writer_status, runs = run_figures, shared = std::weak_ptr<const node_environment>(environment),
          rate = count_rate()]() mutable {
    const auto at = now_utc();
    node_figures figures;
    figures.runs_live = runs->runs_live;
    figures.runs_waiting = runs->runs_waiting;
    figures.slots_free = runs->slots_free;
    figures.runs_ended_per_second = rate.read(runs->runs_ended, at);
    figures.append_wait_ms = static_cast<uint64_t>(
      std::max(std::chrono::floor<std::chrono::milliseconds>(status->backlog.wait(at)), std::chrono::milliseconds(0))
        .count());
    if (const auto alive = shared.lock(); alive && alive->workers)
      figures.workers = alive->workers->figures().connected;
    return figures;
  };
}

template <class Handle>
void node::impl::drain_one(
  caf::scoped_actor& self, const Handle& who, const char* name, std::chrono::steady_clock::time_point by) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(by - std::chrono::steady_clock::now());
  self->request(who, std::max(left, drain_grace_min), drain{})
    .receive(
      [](const drained&) {},
      [&](const caf::error& error) {
        spdlog::warn("drain_failed actor={} error={}", log_quoted(name), log_quoted(caf::to_string(error)));
      });
}

void node::impl::stop() {
  {
    std::lock_guard guard(mutex);
    if (std::exchange(stopped, true))
      return;
    fatal = nullptr;
  }
  stopping = true;
  caf::scoped_actor self{system};
  if (looks)
    self->send_exit(caf::actor_cast<caf::actor>(looks), caf::exit_reason::user_shutdown);
  looks = nullptr;
  self->send(dispatch, stop_admitting{});
  // One grace for all of it: a database that is gone takes nothing, however often it is asked.
  const auto by = std::chrono::steady_clock::now() + options.stop_grace;
  // Starts that are under way get their answer, then the runs go, then what they said last is written.
  for (const auto& writer : environment->writers)
    drain_one(self, writer, "persistence", by);
  self->send(dispatch, shards_lost{});
  for (const auto& writer : environment->writers)
    drain_one(self, writer, "persistence", by);
  drain_one(self, lease_keeper_handle, "lease keeper", by);
  if (wire)
    wire->stop();
  const auto reason = caf::exit_reason::user_shutdown;
  self->send_exit(caf::actor_cast<caf::actor>(dispatch), reason);
  self->send_exit(caf::actor_cast<caf::actor>(definition), reason);
  self->send_exit(caf::actor_cast<caf::actor>(lease_keeper_handle), reason);
  self->send_exit(caf::actor_cast<caf::actor>(environment->recovery), reason);
  self->send_exit(caf::actor_cast<caf::actor>(endings_handle), reason);
  self->send_exit(caf::actor_cast<caf::actor>(environment->timekeeper), reason);
  for (const auto& writer : environment->writers)
    self->send_exit(caf::actor_cast<caf::actor>(writer), reason);
  dispatch = nullptr;
  definition = nullptr;
  endings_handle = nullptr;
  lease_keeper_handle = nullptr;
  environment.reset();
}

node::node(node_options options, node_ports ports)
  : impl_(std::make_unique<impl>(std::move(options), std::move(ports))) {}

node::~node() {
  stop();
}

void node::stop() {
  impl_->stop();
}

void node::add_function(std::string name, step_function function) {
  impl_->functions->add(std::move(name), std::move(function));
}

void node::start(start_request request, receiver<start_outcome> outcome) {
  impl_->ask(start_run{std::move(request), std::move(outcome)});
}

void node::start_all(std::vector<start_run> starts, receiver<start_refused> refused) {
  caf::anon_send(impl_->dispatch, start_runs{std::move(starts), std::move(refused)});
}

void node::change(run_id run, tenant_id tenant, wish asked, receiver<wish_outcome> outcome) {
  impl_->ask(change_run{run, tenant, std::move(asked), std::move(outcome)});
}

void node::explain(run_id run, tenant_id tenant, receiver<explain_outcome> outcome) {
  impl_->ask(explain_run{run, tenant, std::move(outcome)});
}

void node::put_workflow(workflow_ptr workflow, receiver<register_outcome> outcome) {
  caf::anon_send(impl_->definition, register_workflow{std::move(workflow), std::move(outcome)});
}

void node::find(
  std::string name, std::optional<int32_t> version, receiver<std::variant<workflow_ptr, std::string>> outcome) {
  caf::anon_send(impl_->definition, find_workflow{std::move(name), version, std::move(outcome)});
}

void node::list(receiver<std::variant<std::vector<definition_record>, std::string>> outcome) {
  caf::anon_send(impl_->definition, list_workflows{std::move(outcome)});
}

void node::status(receiver<node_status> outcome) {
  auto figures = impl_->writer_status;
  auto liveness = impl_->liveness;
  auto heartbeats = impl_->heartbeats;
  const auto writers = impl_->environment->writers.size();
  node_status limits;
  limits.batch_runs_max = impl_->options.persistence.batch_runs_max;
  limits.runs_running_max = impl_->options.dispatcher.runs_running_max;
  limits.runs_waiting_max = impl_->options.dispatcher.runs_waiting_max;
  if (impl_->wire)
    limits.workers = impl_->wire->workers()->figures();
  caf::anon_send(
    impl_->dispatch,
    report_status{[figures, liveness, heartbeats, standing = impl_->standing, limits, writers,
                   wanting = impl_->environment->wanting, calls = impl_->environment->call_memory,
                   held = impl_->environment->run_memory, outcome = std::move(outcome)](dispatcher_status runs) {
      auto all = limits;
      all.liveness = liveness->figures();
      all.calls_wanting = wanting->counts();
      std::tie(all.draining, all.lacks) = standing->get();
      all.calls_memory = calls->read();
      all.runs_bytes = held->bytes();
      all.runs_bytes_peak = held->bytes_peak();
      all.runs_bytes_max = held->bytes_max();
      all.runs = runs;
      all.database_outage = figures->outage.report();
      if (const auto silent = heartbeats->report(std::chrono::steady_clock::now()); silent && !all.database_outage)
        all.database_outage = outage_report{0, writers, silent->since, silent->reason};
      all.batches = figures->batches;
      all.appends = figures->appends;
      all.events = figures->events;
      all.appends_waiting = figures->waiting;
      all.batch_runs = figures->batch_runs.read();
      all.batch_events = figures->batch_events.read();
      all.commit_micros = figures->commit_micros.read();
      outcome(all);
    }});
}

std::vector<worker_view> node::workers() const {
  return impl_->wire ? impl_->wire->workers()->list() : std::vector<worker_view>();
}

void node::on_ended(std::function<void(const run_ending&)> listener) {
  caf::anon_send(impl_->endings_handle, listen_to_endings{std::move(listener)});
}

void node::ask_endings(endings_asked asked) {
  caf::anon_send(impl_->endings_handle, std::move(asked));
}

void node::announce(std::string address) {
  caf::anon_send(impl_->lease_keeper_handle, announce_address{std::move(address)});
}

void node::hand_over(receiver<all_handed_over> outcome) {
  caf::anon_send(impl_->lease_keeper_handle, hand_all_over{std::move(outcome)});
}

void node::set_draining(uuid node, bool draining, receiver<std::variant<bool, std::string>> outcome) {
  caf::anon_send(impl_->lease_keeper_handle, drain_node{node, draining, std::move(outcome)});
}

const call_variables& node::variables() const {
  return impl_->options.variables;
}

void node::on_fatal(std::function<void(std::string)> tell) {
  std::lock_guard guard(impl_->mutex);
  impl_->fatal = std::move(tell);
  if (impl_->fatal && !impl_->died_early.empty())
    impl_->fatal(std::exchange(impl_->died_early, {}));
}

} // namespace levain
