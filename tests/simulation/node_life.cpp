#include "tests/simulation/node_life.hpp"

#include <algorithm>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "actors/calls/call_budget.hpp"
#include "actors/cluster/gate_messages.hpp"
#include "actors/cluster/lease_messages.hpp"
#include "actors/cluster/worker_desk_actor.hpp"
#include "actors/definitions.hpp"
#include "actors/dispatcher.hpp"
#include "actors/lease_keeper.hpp"
#include "actors/recovery.hpp"
#include "actors/run_budget.hpp"
#include "actors/timekeeper.hpp"
#include "actors/wanting_calls.hpp"
#include "actors/watchdog.hpp"
#include "persistence/model_definition_store.hpp"
#include "tests/simulation/ports.hpp"
#include "tests/simulation/witnessed_calls.hpp"

namespace levain::simulation {

namespace {

/// As `node_options::stop_grace`.
constexpr auto stop_grace = std::chrono::seconds(10);
/// For the other nodes to take the shards of one that ends.
constexpr auto handover_patience = std::chrono::seconds(10);

/// What `node::stop` does with its handles, one after the other.
struct stopping {
  dispatcher_actor dispatch;
  std::vector<persistence_actor> writers;
  lease_keeper_actor lease_keeper;
  std::function<void()> close_gate;
  std::function<void()> ended;
  bool hands_over = false;
  bool began = false;
};

/// Drains the writers from `next` on, then goes on with `then`, whether they answer in time or not.
void drain_writers(
  caf::event_based_actor* self, const std::shared_ptr<stopping>& how, size_t next, std::function<void()> then) {
  if (next == how->writers.size()) {
    then();
    return;
  }
  const auto go_on = [self, how, next, then = std::move(then)] { drain_writers(self, how, next + 1, then); };
  self->request(how->writers[next], stop_grace, drain{})
    .then([go_on](const drained&) { go_on(); }, [go_on](const caf::error&) { go_on(); });
}

void stop_in_order(caf::event_based_actor* self, const std::shared_ptr<stopping>& how) {
  if (std::exchange(how->began, true))
    return;
  self->send(how->dispatch, stop_admitting{});
  drain_writers(self, how, 0, [self, how] {
    self->send(how->dispatch, shards_lost{});
    drain_writers(self, how, 0, [self, how] {
      const auto end = [self, how] {
        how->close_gate();
        how->ended();
        self->quit();
      };
      self->request(how->lease_keeper, stop_grace, drain{})
        .then([end](const drained&) { end(); }, [end](const caf::error&) { end(); });
    });
  });
}

caf::behavior stopper(caf::event_based_actor* self, std::shared_ptr<stopping> how) {
  if (how->hands_over) {
    self->send(how->lease_keeper, hand_all_over{[to = caf::actor(self)](const all_handed_over& /*what is left*/) {
                 caf::anon_send(to, wake{});
               }});
    self->delayed_send(self, handover_patience, wake{});
  } else {
    stop_in_order(self, how);
  }
  return {[self, how](const wake&) { stop_in_order(self, how); }};
}

} // namespace

node_life::node_life(ground& under, const node_surroundings& around, place who)
  : simulated_process(under, who)
  , around_(around)
  , entropy_(seed_for(
      under.script.shape.seed, "entropy", static_cast<uint64_t>(who.node) << 32 | static_cast<uint32_t>(who.life)))
  , environment_(std::make_shared<node_environment>()) {
  const auto& shape = under_.script.shape;
  auto workflows = std::make_shared<workflow_cache>(std::make_unique<model_definition_store>(under_.database, [this] {
    return state_->alive && !under_.faults.is_out(state_->who.node, connection_kind::recovery, true, under_.now);
  }));
  environment_->now = [this] { return local_now(); };
  environment_->steady = [this] { return under_.now; };
  environment_->entropy = [this] { return uuid_entropy{entropy_.draw(), entropy_.draw()}; };
  if (!lacks(lack_kind::variable))
    environment_->variables = {{"base", "http://service"}};
  environment_->wanting = std::make_shared<wanting_calls>("node-" + std::to_string(who.node));
  environment_->run.projection_interval = shape.projection;
  environment_->call_memory = std::make_shared<call_budget>(shape.calls_bytes_max);
  environment_->run_memory = std::make_shared<run_budget>(shape.runs_bytes_max);
  environment_->http = around_.calls.executor_for(state_, true);
  environment_->functions = around_.calls.executor_for(state_, false);
  if (shape.workers > 0 && !lacks(lack_kind::gate))
    speak_to_workers();
  environment_->timekeeper = system_.spawn(timekeeper, environment_->steady);
  recovery_options recovering;
  recovering.page_runs_max = shape.page_runs_max;
  recovering.shards_at_a_time = shape.shards_at_a_time;
  const auto writer_status = std::make_shared<persistence_status>();
  environment_->append_pressure_now = [status = writer_status, now = environment_->steady] {
    return status->pressure(now());
  };
  environment_->recovery = system_.spawn(
    recovery, recovery_beginning{
                std::make_unique<simulated_journal>(under_, state_, connection_kind::recovery), workflows, recovering,
                writer_status, environment_->run_memory});

  dispatcher_options admitting;
  admitting.runs_running_max = shape.running_max;
  admitting.runs_running_per_tenant_max = shape.tenant_running_max;
  admitting.runs_waiting_max = shape.waiting_max;
  admitting.starts_unsettled_max = shape.unsettled_max;
  admitting.congestion_appends_min = 4; // In a small world few are many.
  admitting.runs_bytes_max = shape.runs_bytes_max;
  admitting.run_numbers_block = static_cast<int64_t>(shape.numbers_block);

  lease_beginning leasing;
  leasing.store = std::make_unique<simulated_leases>(under_, state_);
  leasing.node.name = "node-" + std::to_string(who.node);
  leasing.mint = [this] { return make_uuid_v7(local_now(), {entropy_.draw(), entropy_.draw()}); };
  leasing.sole = shape.sole;
  leasing.numbers_block = admitting.run_numbers_block;
  const auto figures = std::make_shared<dispatcher_figures>();
  if (shape.routers || desk_) {
    leasing.node.cluster_address = gate_address(who.node);
    leasing.node.protocol_min = leasing.node.protocol_max = wire_protocol_max;
    leasing.figures = [figures] {
      return node_figures{figures->runs_live, figures->runs_waiting, figures->slots_free, 0, 0, 0};
    };
    leasing.viewed = [this](const cluster_view& view, const uuid& self) {
      const cluster_known known{std::make_shared<cluster_view>(view), self};
      if (route_)
        caf::anon_send(route_, known);
      if (desk_actor_)
        caf::anon_send(desk_actor_, known);
    };
    leasing.released = [this] { around_.others.shards_freed_by(*state_); };
  }
  lease_keeper_ = system_.spawn(lease_keeper, std::move(leasing));

  persistence_options writing;
  writing.batch_runs_max = shape.batch_runs_max;
  for (uint64_t i = 0; i < shape.writers; ++i) {
    environment_->writers.push_back(system_.spawn(
      persistence, std::make_unique<simulated_journal>(under_, state_, connection_kind::writer), writing,
      environment_->steady, environment_->entropy, writer_status,
      [to = lease_keeper_](shard_lease shard) { caf::anon_send(to, shard_fenced{shard}); }));
    holdable_.emplace_back(held_actor::writer, environment_->writers.back().id());
  }
  dispatch_ = system_.spawn(dispatcher, dispatcher_beginning{environment_, admitting, lease_keeper_, figures});
  definition_ = system_.spawn(definitions, workflows, environment_->now);
  watchdog_ =
    system_.spawn(watchdog, watchdog_beginning{environment_, dispatch_, watchdog_options{}, writer_status, liveness_});

  holdable_.emplace_back(held_actor::recovery, environment_->recovery.id());
  holdable_.emplace_back(held_actor::leases, lease_keeper_.id());
  holdable_.emplace_back(held_actor::dispatcher, dispatch_.id());
  holdable_.emplace_back(held_actor::timekeeper, environment_->timekeeper.id());
  holdable_.emplace_back(held_actor::definitions, definition_.id());
  watch(caf::actor_cast<caf::actor>(environment_->timekeeper), "timekeeper");
  watch(caf::actor_cast<caf::actor>(environment_->recovery), "recovery");
  watch(caf::actor_cast<caf::actor>(lease_keeper_), "lease keeper");
  watch(caf::actor_cast<caf::actor>(dispatch_), "dispatcher");
  watch(caf::actor_cast<caf::actor>(definition_), "definitions");
  for (const auto& writer : environment_->writers)
    watch(caf::actor_cast<caf::actor>(writer), "persistence");
  if (shape.routers)
    speak_to_others(environment_);
  caf::send_as(dispatch_, lease_keeper_, beat{});
}

void node_life::speak_to_others(const environment_ptr& environment) {
  const auto& shape = under_.script.shape;
  router_options options;
  options.route_time_max = shape.route_time_max;
  options.imbalance_max = shape.imbalance_max;
  options.routed_max = shape.routed_max;
  route_ = system_.spawn(
    router,
    router_beginning{
      environment->steady, environment->timekeeper, dispatch_, definition_, around_.others.port_of(state_), options});
  holdable_.emplace_back(held_actor::router, route_.id());
  watch(caf::actor_cast<caf::actor>(route_), "router");
  around_.others.open(
    state_, {[this](peer_request asked, receiver<peer_answer> outcome) {
               caf::anon_send(route_, peer_asked{std::move(asked), std::move(outcome)});
             },
             [this] { caf::anon_send(lease_keeper_, shards_freed_elsewhere{}); },
             [this] { caf::anon_send(lease_keeper_, look_closely{}); }});
}

/// As `node_wire` does.
void node_life::speak_to_workers() {
  desk_ = std::make_shared<worker_desk>(
    worker_roster_options{.host = host_of(state_->who.node), .deliveries_max = 2}, [this] { return under_.now; });
  desk_actor_ = system_.spawn(worker_desk_actor, desk_, "node-" + std::to_string(state_->who.node));
  desk_actor_->attach_functor([this](const caf::error& reason) {
    if (state_->alive && desk_actor_)
      under_.audience.saw_complaint(under_.now, state_->who, "the desk of the workers died: " + caf::to_string(reason));
  });
  environment_->workers = std::make_shared<witnessed_calls>(under_, state_, desk_);
  around_.workers.open(state_, system_, desk_actor_);
  listen_to(desk_actor_.id());
}

void node_life::close_gate() {
  around_.workers.close(*state_);
  if (desk_)
    desk_->close();
  if (desk_actor_)
    caf::anon_send(std::exchange(desk_actor_, nullptr), close_wire{});
}

void node_life::hears(const caf::mailbox_element& x) {
  around_.workers.heard_at_node(*state_, x);
}

node_life::~node_life() {
  state_->die();
  around_.calls.forget(*state_);
  around_.others.forget(*state_);
  around_.workers.forget(*state_);
  kill_all();
}

bool node_life::lacks(lack_kind what) const {
  return is_without(under_.script, state_->who.node, what, under_.now - ground::world_begin);
}

size_t node_life::wanting() const {
  size_t all = 0;
  for (const auto& each : environment_->wanting->counts())
    all += each.second;
  return all;
}

void node_life::watch(const caf::actor& core, const char* name) {
  core->attach_functor([this, name](const caf::error& reason) {
    if (state_->alive)
      under_.audience.saw_complaint(
        under_.now, state_->who, std::string("the ") + name + " died: " + caf::to_string(reason));
  });
}

void node_life::kill_all() {
  const auto kill = [](const auto& who) {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(who), caf::exit_reason::kill);
  };
  for (const auto& each : environment_->writers)
    kill(each);
  close_gate();
  kill(watchdog_);
  if (route_)
    kill(route_);
  kill(dispatch_);
  kill(definition_);
  kill(lease_keeper_);
  kill(environment_->recovery);
  kill(environment_->timekeeper);
  watchdog_ = nullptr;
  route_ = nullptr;
  dispatch_ = nullptr;
  definition_ = nullptr;
  lease_keeper_ = nullptr;
  run_out();
  environment_.reset();
}

bool node_life::is_held(caf::actor_id who) const {
  return std::any_of(holdable_.begin(), holdable_.end(), [&](const auto& each) {
    return each.second == who && under_.faults.holds(state_->who.node, each.first, under_.now);
  });
}

void node_life::drain(const uuid& node, bool draining, receiver<std::variant<bool, std::string>> outcome) {
  caf::anon_send(lease_keeper_, drain_node{node, draining, std::move(outcome)});
}

void node_life::stop(bool hands_over, std::function<void()> ended) {
  system_.spawn(
    stopper,
    std::make_shared<stopping>(stopping{
      dispatch_, environment_->writers, lease_keeper_, [this] { close_gate(); }, std::move(ended), hands_over}));
}

} // namespace levain::simulation
