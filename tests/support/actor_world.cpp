#include "tests/support/actor_world.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>
#include <nlohmann/json.hpp>

#include "actors/recovery.hpp"
#include "actors/timekeeper.hpp"
#include "actors/wanting_calls.hpp"
#include "persistence/model_definition_store.hpp"
#include "persistence/model_leases.hpp"

namespace levain::test {

namespace {

/// Virtual time begins here.
constexpr timestamp world_begin{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
/// Time passes in steps of this size, so that what becomes due in a span happens in order.
constexpr duration time_step = std::chrono::milliseconds(10);

void let_go_of_memory(call_request& request) {
  request.memory = nullptr;
  request.body_rest = nullptr;
}

} // namespace

// ---- calls ------------------------------------------------------------------

call_in_flight scripted_calls::begin(call_request request, call_done done) {
  if (throw_on_begin == throws::exception)
    throw std::runtime_error("the executor is broken");
  if (throw_on_begin == throws::anything)
    throw 42; // NOLINT(hicpp-exception-baseclass)
  calls_.push_back({std::move(request), std::move(done)});
  return call_in_flight(
    [this, index = calls_.size() - 1](let_go_reason why) {
      calls_[index].given_up = true;
      let_go_of_memory(calls_[index].request);
      calls_[index].run_moves = why == let_go_reason::run_moves;
    },
    [this, index = calls_.size() - 1](withdraw_reason why) {
      calls_[index].asked_back = why;
      if (takes_back && calls_[index].done) {
        let_go_of_memory(calls_[index].request);
        std::exchange(calls_[index].done, nullptr)(
          call_failure{call_failure::kind_type::withdrawn, "it waited", std::nullopt});
      }
    });
}

size_t scripted_calls::count(const std::string& key) const {
  return static_cast<size_t>(std::count_if(
    calls_.begin(), calls_.end(), [&](const waiting_call& x) { return x.request.idempotency_key == key; }));
}

bool scripted_calls::waits(const std::string& step, bool undo) const {
  return std::any_of(calls_.begin(), calls_.end(), [&](const waiting_call& x) {
    return x.done && !x.given_up && x.request.step == step && x.request.undo == undo;
  });
}

void scripted_calls::answer(const std::string& step, call_result result, bool undo) {
  BOOST_TEST_REQUIRE(waits(step, undo), "no call of step " << step << " waits for an answer");
  for (auto& each : calls_)
    if (each.done && each.request.step == step && each.request.undo == undo) {
      let_go_of_memory(each.request);
      std::exchange(each.done, nullptr)(result);
    }
}

// ---- the world --------------------------------------------------------------

actor_world::actor_world(options settings, std::shared_ptr<model_database> shared)
  : settings_(settings)
  , system_(config_)
  , scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler()))
  , entropy_(settings.seed << 32) {
  database = shared ? std::move(shared) : std::make_shared<model_database>([this] { return now(); });
  workflows = std::make_shared<workflow_cache>(std::make_unique<model_definition_store>(database));
  variables = settings.variables;
  boot();
}

actor_world::~actor_world() {
  crash();
  const auto found = liveness->figures();
  if (!expects_violations && found.violations_in_all() > 0)
    BOOST_ERROR(
      "the watchdog found run " << to_string(found.last.back().run) << " " << to_string(found.last.back().kind) << ": "
                                << found.last.back().detail);
}

timestamp actor_world::steady() const {
  return world_begin + std::chrono::duration_cast<duration>(scheduler_.clock().now().time_since_epoch());
}

void actor_world::boot() {
  environment_ = std::make_shared<node_environment>();
  environment_->now = [this] { return now(); };
  environment_->steady = [this] { return steady(); };
  environment_->entropy = [this] { return uuid_entropy{entropy_++, entropy_ * 0x9e3779b97f4a7c15ULL}; };
  environment_->run = settings_.run;
  environment_->variables = variables;
  environment_->wanting = wanting = std::make_shared<wanting_calls>("world");
  environment_->call_memory = call_memory = std::make_shared<call_budget>(settings_.calls_bytes_max);
  environment_->run_memory = run_memory = std::make_shared<run_budget>(settings_.dispatcher.runs_bytes_max);
  environment_->http = calls;
  environment_->functions = calls;
  if (settings_.make_workers)
    environment_->workers = settings_.make_workers(environment_->steady);
  environment_->why_no_database = [status = writer_status] { return status->failing_reason(); };
  environment_->append_pressure_now = [this] { return pressure.value_or(writer_status->pressure(steady())); };
  environment_->timekeeper = system_.spawn(timekeeper, environment_->steady);
  auto recovery_journal = settings_.make_recovery_journal ? settings_.make_recovery_journal(database, manners)
                                                          : std::make_unique<model_journal>(database, manners);
  environment_->recovery = system_.spawn(
    recovery,
    recovery_beginning{std::move(recovery_journal), workflows, settings_.recovery, writer_status, run_memory});
  lease_beginning leasing;
  leasing.store = std::make_unique<model_leases>(database);
  leasing.options = settings_.lease;
  leasing.node.name = "world";
  leasing.mint = [this] { return make_uuid_v7(now(), environment_->entropy()); };
  if (settings_.wrap_leases)
    leasing.store = settings_.wrap_leases(std::move(leasing.store));
  leasing.sole = settings_.sole;
  leasing.numbers_block = settings_.dispatcher.run_numbers_block;
  leasing.lacking = [this, variables = variables](const workflow_version& which) {
    const auto found = workflows->find(which.name, which.version);
    return found ? wanting_for(*found, variables, environment_->workers != nullptr) : std::vector<std::string>();
  };
  leasing.calls_want = [wanting = wanting] { return !wanting->counts().empty(); };
  if (settings_.change_leases)
    settings_.change_leases(leasing);
  lease_keeper_handle = system_.spawn(lease_keeper, std::move(leasing));
  spawn_writer();
  dispatch = system_.spawn(
    dispatcher, dispatcher_beginning{environment_, settings_.dispatcher, lease_keeper_handle, run_figures});
  if (!settings_.watchdog.off)
    watchdog_ =
      system_.spawn(watchdog, watchdog_beginning{environment_, dispatch, settings_.watchdog, writer_status, liveness});
  if (!leaves_shards_alone)
    caf::send_as(dispatch, lease_keeper_handle, beat{});
  settle();
}

void actor_world::spawn_writer() {
  environment_->writers.push_back(system_.spawn(
    persistence, std::make_unique<model_journal>(database, manners), settings_.persistence, environment_->steady,
    environment_->entropy, writer_status,
    [to = lease_keeper_handle](shard_lease shard) { caf::anon_send(to, shard_fenced{shard}); }));
}

void actor_world::lose_timers() {
  caf::anon_send_exit(environment_->timekeeper, caf::exit_reason::kill);
  environment_->timekeeper = system_.spawn(timekeeper, environment_->steady);
  settle();
}

void actor_world::lose_appends() {
  caf::anon_send_exit(environment_->writers.back(), caf::exit_reason::kill);
  environment_->writers.clear();
  spawn_writer();
  settle();
}

run_id actor_world::plant(const workflow_ptr& workflow) {
  workflows->put(workflow, now());
  run_plan plan;
  plan.run = make_run_id(now(), environment_->entropy(), 7);
  plan.run_number = "ORCH-planted-" + to_string(plan.run);
  plan.tenant = tenant;
  plan.workflow = workflow->name;
  plan.workflow_version = workflow->version;
  auto state = initial_state(workflow);
  evolve(state, accept_run(plan, now()));
  run_append append;
  append.run = plan.run;
  append.epoch = database->epoch(7);
  append.events = {encode_event(accept_run(plan, now()), *workflow)};
  append.insert = audit_of(state);
  const auto answer = model_journal(database).append({append});
  BOOST_TEST_REQUIRE(std::holds_alternative<append_committed>(answer.outcomes.at(0)));
  return plan.run;
}

void actor_world::crash() {
  if (!environment_)
    return;
  // What is in the mailboxes is never handled.
  const auto kill = [](const auto& who) {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(who), caf::exit_reason::kill);
  };
  if (watchdog_)
    kill(watchdog_);
  watchdog_ = nullptr;
  kill(environment_->writers.front());
  kill(dispatch);
  kill(lease_keeper_handle);
  kill(environment_->recovery);
  kill(environment_->timekeeper);
  dispatch = nullptr;
  lease_keeper_handle = nullptr;
  environment_.reset();
  settle();
}

void actor_world::settle() {
  while (scheduler_.has_job()) {
    // An actor gets a turn when it is spawned, and one more to find that nothing has come: those are no messages.
    auto* next = dynamic_cast<caf::scheduled_actor*>(&scheduler_.next_job());
    if (next != nullptr && !next->mailbox().empty())
      ++messages_handled_;
    scheduler_.run_once();
  }
}

void actor_world::advance(duration span) {
  settle();
  for (auto left = span; left > duration(0); left -= time_step) {
    scheduler_.advance_time(std::min(left, time_step));
    settle();
  }
}

start_acknowledged actor_world::started::run() const {
  BOOST_TEST_REQUIRE(outcome.has_value(), "the start has no outcome yet");
  const auto* refused = std::get_if<start_refused>(&*outcome);
  BOOST_TEST_REQUIRE(refused == nullptr, (refused != nullptr ? refused->message : ""));
  return std::get<start_acknowledged>(*outcome);
}

start_refused actor_world::started::refusal() const {
  BOOST_TEST_REQUIRE(outcome.has_value(), "the start has no outcome yet");
  BOOST_TEST_REQUIRE(std::holds_alternative<start_refused>(*outcome));
  return std::get<start_refused>(*outcome);
}

std::shared_ptr<actor_world::started>
actor_world::start(workflow_ptr workflow, const std::function<void(start_request&)>& change) {
  if (!workflows->find(workflow->name, workflow->version))
    workflows->put(workflow, now());
  start_request request;
  request.tenant = tenant;
  request.workflow = std::move(workflow);
  change(request);
  auto told = std::make_shared<started>();
  caf::anon_send(
    dispatch, start_run{std::move(request), [told](start_outcome outcome) { told->outcome = std::move(outcome); }});
  return told;
}

std::shared_ptr<std::optional<wish_outcome>> actor_world::ask(const run_id& run, wish asked) {
  auto told = std::make_shared<std::optional<wish_outcome>>();
  caf::anon_send(
    dispatch, change_run{run, tenant, std::move(asked), [told](wish_outcome outcome) { *told = std::move(outcome); }});
  return told;
}

explanation actor_world::explain_run(const run_id& run) {
  std::optional<explain_outcome> told;
  caf::anon_send(
    dispatch, levain::explain_run{run, tenant, [&told](explain_outcome outcome) { told = std::move(outcome); }});
  settle();
  BOOST_TEST_REQUIRE(told.has_value());
  BOOST_TEST_REQUIRE(std::holds_alternative<explanation>(*told));
  return std::get<explanation>(*told);
}

dispatcher_status actor_world::status() {
  std::optional<dispatcher_status> told;
  caf::anon_send(dispatch, report_status{[&told](dispatcher_status status) { told = status; }});
  settle();
  BOOST_TEST_REQUIRE(told.has_value());
  return *told;
}

audit_row actor_world::row(const run_id& run) const {
  auto found = database->row(run);
  BOOST_TEST_REQUIRE(found.has_value());
  return *found;
}

std::vector<event_kind> actor_world::story(const run_id& run) const {
  std::vector<event_kind> kinds;
  for (const auto& each : database->events(run))
    kinds.push_back(each.kind);
  return kinds;
}

void actor_world::check_row_equals_fold(const run_id& run) {
  const auto folded = audit_of(fold_journal(run, database->events(run), *workflows));
  BOOST_TEST((folded == row(run)), "the row of run " << to_string(run) << " differs from its journal");
}

} // namespace levain::test
