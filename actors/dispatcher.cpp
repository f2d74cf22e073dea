#include "actors/dispatcher.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/run.hpp"
#include "actors/start_fingerprint.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

wish_refused not_owned(const run_id& run) {
  return {
    wish_refused::reason_type::elsewhere,
    fmt::format("shard {} of run {} is not this node's: another node acts for it", shard_of(run), to_string(run))};
}

} // namespace

dispatcher_state::dispatcher_state(dispatcher_actor::pointer self)
  : self_(self) {}

dispatcher_state::~dispatcher_state() {
  for (const auto& [id, each] : live_)
    caf::anon_send_exit(each.actor, caf::exit_reason::kill);
}

void dispatcher_state::begin(dispatcher_beginning how) {
  environment_ = std::move(how.environment);
  options_ = how.options;
  lease_keeper_ = std::move(how.lease_keeper);
  figures_ = how.figures ? std::move(how.figures) : std::make_shared<dispatcher_figures>();
  queue_ = empty_queue();
  unsettled_ = std::make_shared<std::atomic<size_t>>(0);
  show_figures();
}

std::unique_ptr<admission_queue> dispatcher_state::empty_queue() const {
  return std::make_unique<admission_queue>(admission_queue::limits{
    options_.runs_running_max, options_.runs_running_per_tenant_max, options_.ageing_interval,
    options_.round_robin_quantum});
}

// ---- runs -------------------------------------------------------------------

void dispatcher_state::spawn_run(const tenant_id& tenant, bool running, run_beginning how) {
  const auto id = how.recovered ? how.recovered->plan.run : how.plan.run;
  how.environment = environment_;
  how.dispatcher = dispatcher_actor(self_);
  const auto epoch = epochs_[shard_of(id)];
  how.epoch = epoch;
  auto actor = self_->spawn<caf::monitored>(run, std::move(how));
  by_address_.emplace(actor.address(), id);
  live_.insert_or_assign(id, live_run{std::move(actor), tenant, epoch, running});
  show_figures();
}

std::vector<run_id> dispatcher_state::begin_waiting() {
  std::vector<run_id> begun;
  while (auto next = queue_->pop(environment_->steady())) {
    auto& found = live_.at(*next);
    found.running = true;
    self_->send(found.actor, begin_run{});
    begun.push_back(*next);
  }
  show_figures();
  return begun;
}

void dispatcher_state::left(const run_left& x, const caf::strong_actor_ptr& from) {
  auto found = live_.find(x.run);
  // The shard may have been lost and taken again meanwhile: then another actor has the run.
  if (found == live_.end() || from == nullptr || found->second.actor.address() != from->address())
    return;
  self_->send(found->second.actor, leave_run{});
  self_->demonitor(found->second.actor.address());
  by_address_.erase(found->second.actor.address());
  // The lease keeper may hear of it later: until then nothing is begun or read back in a shard that is somebody else's.
  if (x.reason == run_left::reason_type::fenced)
    std::erase(ready_, shard_lease{shard_of(x.run), found->second.epoch});
  if (x.reason == run_left::reason_type::ended)
    figures_->runs_ended.fetch_add(1, std::memory_order_relaxed);
  forget(x.run);
  if (x.stop)
    stop_run(x.run, x.stop->kind, x.stop->reason);
  begin_waiting();
}

void dispatcher_state::forget(const run_id& run) {
  auto found = live_.find(run);
  if (found->second.running)
    queue_->release(found->second.tenant);
  else
    queue_->remove(run);
  live_.erase(found);
  run_has_gone(run);
}

void dispatcher_state::run_died(const caf::down_msg& down) {
  auto found = by_address_.find(down.source);
  if (found == by_address_.end())
    return; // It had left in order.
  const auto id = found->second;
  spdlog::error("run_actor_died run={} reason={}", to_string(id), log_quoted(caf::to_string(down.reason)));
  by_address_.erase(found);
  forget(id);
  // In a shard that is leaving, the next owner finds it.
  if (owns(id))
    revive(id);
  begin_waiting();
}

// ---- people -----------------------------------------------------------------

bool dispatcher_state::owns(const run_id& run) const {
  return epochs_.contains(shard_of(run));
}

std::optional<epoch_number> dispatcher_state::epoch_of(const run_id& run) const {
  const auto found = epochs_.find(shard_of(run));
  return found == epochs_.end() ? std::nullopt : std::optional(found->second);
}

void dispatcher_state::read_back(const run_id& run, const std::function<void(pending_load&)>& add) {
  auto [load, fresh] = loads_.try_emplace(run);
  add(load->second);
  if (!fresh)
    return;
  load->second.epoch = epoch_of(run);
  self_->send(environment_->recovery, load_run{run});
}

void dispatcher_state::change(change_run& x) {
  auto found = live_.find(x.run);
  if (found != live_.end()) {
    if (found->second.tenant != x.tenant)
      x.outcome(wish_refused{wish_refused::reason_type::not_found, "there is no such run of this tenant"});
    else
      self_->send(found->second.actor, wish_asked{std::move(x.asked), std::move(x.outcome)});
    return;
  }
  if (!owns(x.run)) {
    x.outcome(not_owned(x.run));
    return;
  }
  if (!is_ready(x.run)) {
    // A page that recovery has read may hold it: it must not move before that is here.
    x.outcome(wish_refused{wish_refused::reason_type::unavailable, "the run is about to be taken up; ask again"});
    return;
  }
  read_back(x.run, [&](pending_load& load) { load.changes.push_back(std::move(x)); });
}

void dispatcher_state::explain_one(explain_run& x) {
  auto found = live_.find(x.run);
  if (found == live_.end()) {
    read_back(x.run, [&](pending_load& load) { load.explanations.push_back(std::move(x)); });
    return;
  }
  if (found->second.tenant != x.tenant)
    x.outcome(wish_refused{wish_refused::reason_type::not_found, "there is no such run of this tenant"});
  else
    self_->send(found->second.actor, explanation_asked{std::move(x.outcome), queue_->why_waiting(x.run)});
}

void dispatcher_state::loaded(run_loaded& x) {
  // What was read before a dead actor's last words were written is not looked at.
  if (const auto found = loads_.find(x.run); found == loads_.end() || found->second.settling)
    return;
  auto node = loads_.extract(x.run);
  auto& load = node.mapped();
  const auto refuse_all = [&](const wish_refused& why) {
    for (auto& each : load.changes)
      each.outcome(why);
    for (auto& each : load.explanations)
      each.outcome(why);
  };
  if (!x.failure.empty()) {
    refuse_all({wish_refused::reason_type::unavailable, x.failure});
    // Nobody else will ask for a run that died: ask until the journal answers.
    if (load.revive && !stopped_.contains(x.run)) {
      to_revive_.push_back(x.run);
      self_->send(environment_->timekeeper, wake_at{environment_->steady() + options_.revive_interval});
    }
    return;
  }
  if (!x.state) {
    answer_without_state(x, load);
    return;
  }
  const auto tenant = x.state->plan.tenant;
  for (auto& each : load.explanations) {
    if (each.tenant == tenant)
      each.outcome(explain_absent(x));
    else
      each.outcome(wish_refused{wish_refused::reason_type::not_found, "there is no such run of this tenant"});
  }
  const bool wished = std::any_of(
    load.changes.begin(), load.changes.end(), [&](const change_run& each) { return each.tenant == tenant; });
  if (wished && !owns(x.run)) {
    for (auto& each : load.changes)
      each.outcome(not_owned(x.run));
    return;
  }
  const bool ended = x.state->phase == run_phase::ended;
  const bool waits_for_retry = x.state->phase == run_phase::waiting_for_retry;
  // A row that says that an ended run goes on is brought up to date by the run's actor.
  const bool row_lags = ended && x.row && !is_ended(x.row->status);
  const auto known = stopped_.find(x.run);
  const bool stopped = known != stopped_.end() || (x.row && x.row->stop);
  // Its journal was damaged and is not any more: it goes on, whoever asked.
  const bool repaired =
    stopped && (known != stopped_.end() ? known->second.kind : x.row->stop->kind) == stop_kind::journal_damaged;
  // The journal goes on and no row says so: nothing else would take the run up.
  const bool contradicted =
    !ended && !stopped && is_ready(x.run) && !live_.contains(x.run) && (!x.row || is_ended(x.row->status));
  if (contradicted)
    spdlog::warn("row_contradicts_journal run={} row={}", to_string(x.run), x.row ? to_string(x.row->status) : "none");
  const bool revived = (load.revive || repaired || contradicted) && (!ended || row_lags);
  if ((wished || revived) && owns(x.run)) {
    // Another node may have written since the journal was read, unless the shard was ours all the time.
    if (!live_.contains(x.run) && load.epoch != epoch_of(x.run)) {
      load.explanations.clear();
      read_back(x.run, [&](pending_load& again) { again = std::move(load); });
      return;
    }
    recovered_run back{x.state, *epoch_of(x.run), row_lags};
    adopt_one(back);
    // Without its row nobody can tell whether it stands among the stopped ones.
    if (stopped || !x.row)
      take_up({x.run});
    begin_waiting();
    // Now that it is here, the wishes find it.
    for (auto& each : load.changes) {
      // Being taken up again is what a person wants who retries a run that nobody acts for.
      const bool retried = stopped && !ended && std::holds_alternative<retry_asked>(each.asked) && !waits_for_retry &&
                           each.tenant == tenant;
      if (retried)
        each.outcome(wish_granted{});
      else
        change(each);
    }
    return;
  }
  if (repaired && owns(x.run))
    take_up({x.run});
  for (auto& each : load.changes)
    each.outcome(wish_refused{wish_refused::reason_type::not_found, "there is no such run of this tenant"});
}

// ---- what it tells ---------------------------------------------------------

void dispatcher_state::show_figures() const {
  const auto running = queue_->running();
  figures_->runs_live.store(live_.size(), std::memory_order_relaxed);
  figures_->runs_waiting.store(queue_->waiting(), std::memory_order_relaxed);
  figures_->slots_free.store(
    options_.runs_running_max - std::min(options_.runs_running_max, running), std::memory_order_relaxed);
}

dispatcher_status dispatcher_state::status() const {
  dispatcher_status all;
  all.runs_live = live_.size();
  all.runs_running = queue_->running();
  all.runs_waiting = queue_->waiting();
  all.runs_stopped = stopped_.size();
  all.shards_ready = ready_.size();
  all.shards_recovering = epochs_.size() - ready_.size();
  all.runs_recovered = runs_recovered_;
  all.shards_leaving = leaving_.size();
  all.times_fenced = times_fenced_;
  all.fenced_at = fenced_at_;
  all.admitting = admitting_;
  all.has_run_numbers = !numbers_.empty();
  return all;
}

dispatcher_actor::behavior_type
dispatcher(dispatcher_actor::stateful_pointer<dispatcher_state> self, dispatcher_beginning how) {
  self->set_down_handler([self](const caf::down_msg& down) { self->state.run_died(down); });
  self->state.begin(std::move(how));
  return {
    [self](start_run& x) { self->state.start(x); },
    [self](start_runs& x) { self->state.start_all(x); },
    [self](change_run& x) { self->state.change(x); },
    [self](explain_run& x) { self->state.explain_one(x); },
    [self](const run_left& x) { self->state.left(x, self->current_sender()); },
    [self](adopt_runs& x) {
      self->state.adopt(x);
      if (auto from = caf::actor_cast<recovery_actor>(self->current_sender()))
        self->send(from, runs_adopted{});
    },
    [self](const shards_taken& x) { self->state.taken(x); },
    [self](const shards_recovered& x) { self->state.recovered(x); },
    [self](const shards_lost&) { self->state.lost(); },
    [self](const hand_over_shards& x) { self->state.hand_over(x); },
    [self](const numbers_reserved& x) { self->state.numbers(x); },
    [self](run_loaded& x) { self->state.loaded(x); },
    [self](const report_status& x) { x.outcome(self->state.status()); },
    [self](const levain::stop_admitting&) { self->state.stop_admitting(); },
    [self](const look_at_live& x) { self->state.look_at_live_runs(x); },
    [self](look_at_rows& x) { self->state.look_at_open_rows(x); },
    [self](const look_at_stopped& x) { self->state.look_at_stopped_runs(x.limit); },
    [self](const heal_run& x) { self->state.heal(x); },
    [self](open_rows_listed& x) { self->state.rows_listed(x); },
    [self](const run_settled& x) { self->state.settled(x); },
    [self](const wake&) { self->state.revive_again(); },
  };
}

} // namespace levain
