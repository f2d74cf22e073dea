#include "actors/recovery.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace levain {

namespace {

run_state fold_events(const run_id& run, const std::vector<event_record>& events, workflow_cache& workflows) {
  if (events.empty())
    throw broken_journal("the journal has no events");
  const auto plan = decode_plan(events.front(), run);
  auto workflow = workflows.find(plan.workflow, plan.workflow_version);
  if (!workflow)
    throw broken_journal(fmt::format("workflow {} version {} is not registered", plan.workflow, plan.workflow_version));
  auto state = initial_state(workflow);
  for (const auto& record : events) {
    auto fact = decode_event(record, *workflow);
    if (fact.plan)
      fact.plan->run = run;
    evolve(state, fact);
  }
  return state;
}

/// Whether the run's row is as new as its journal. Where another event has the time of the last one the row might show
/// that, unless its status tells the two apart: a run is accepted and started in one instant, and pending in between.
bool shows_all_events(const unfinished_run& run) {
  if (run.events.empty() || run.row_updated_at != run.events.back().at)
    return false;
  return std::none_of(run.events.begin(), run.events.end() - 1, [&](const event_record& each) {
    return each.at == *run.row_updated_at &&
           (each.kind != event_kind::run_accepted || run.row_status == run_status::pending);
  });
}

} // namespace

run_state fold_journal(const run_id& run, const std::vector<event_record>& events, workflow_cache& workflows) {
  try {
    return fold_events(run, events, workflows);
  } catch (const broken_journal&) {
    throw;
  } catch (const journal_unavailable&) {
    throw;
  } catch (const std::exception& damage) {
    // Rows that were changed by hand can be broken in ways that nobody has thought of; the node must outlive them.
    throw broken_journal(damage.what());
  }
}

recovery_state::recovery_state(recovery_actor::pointer self)
  : self_(self) {}

void recovery_state::begin(recovery_beginning how) {
  with_ = std::move(how);
}

void recovery_state::recover(const shards_taken& x, const caf::strong_actor_ptr& from) {
  dispatcher_ = caf::actor_cast<dispatcher_actor>(from);
  for (size_t i = 0; i < x.shards.size(); i += with_.options.shards_at_a_time) {
    const auto end = std::min(i + with_.options.shards_at_a_time, x.shards.size());
    portions_.push_back({{x.shards.begin() + static_cast<long>(i), x.shards.begin() + static_cast<long>(end)}, {}, 0});
  }
  if (!busy_)
    go_on_after({});
}

void recovery_state::forget() {
  portions_.clear();
}

void recovery_state::forget_some(const forget_shards& x) {
  for (auto& portion : portions_)
    std::erase_if(portion.shards, [&](const shard_lease& each) {
      return std::find(x.shards.begin(), x.shards.end(), each) != x.shards.end();
    });
  std::erase_if(portions_, [](const portion& each) { return each.shards.empty(); });
}

void recovery_state::go_on_after(std::chrono::nanoseconds wait) {
  busy_ = true;
  if (wait.count() > 0)
    self_->delayed_send(self_, wait, read_next_page{});
  else
    self_->send(self_, read_next_page{});
}

std::chrono::nanoseconds recovery_state::pause() {
  const auto now = self_->clock().now();
  if (!with_.writers || with_.writers->waiting.load(std::memory_order_relaxed) <= with_.options.appends_waiting_max) {
    held_since_.reset();
    return next_page_at_ - now;
  }
  if (!held_since_)
    held_since_ = now;
  if (now - *held_since_ < recovery_hold_max)
    return with_.options.pace_interval;
  // The others may keep the database busy all the time: these runs wait for it as well.
  held_since_ = now;
  return next_page_at_ - now;
}

void recovery_state::next_page() {
  busy_ = false;
  if (portions_.empty())
    return;
  const auto wait = pause();
  if (wait.count() > 0)
    go_on_after(wait);
  else
    read_page();
}

recovery_state::page_choice recovery_state::choose_page(const portion& from, const shard_epochs& epochs) const {
  page_choice page{{}, from.next};
  for (; page.next < from.runs->size() && page.runs.size() < with_.options.page_runs_max; ++page.next)
    if (const auto& run = (*from.runs)[page.next]; epochs.at(shard_of(run)))
      page.runs.push_back(run);
  return page;
}

adopt_runs recovery_state::fold_page(const std::vector<unfinished_run>& found, const shard_epochs& epochs) {
  adopt_runs page;
  for (const auto& each : found) {
    const auto epoch = epochs.at(shard_of(each.run)).value();
    try {
      if (!each.damage.empty())
        throw broken_journal(each.damage);
      auto state = std::make_shared<run_state>(fold_journal(each.run, each.events, *with_.workflows));
      const bool row_lags = state->phase == run_phase::ended;
      page.runs.push_back({std::move(state), epoch, row_lags, each.stopped, shows_all_events(each)});
    } catch (const broken_journal& damage) {
      // One damaged journal stops its own run, not the node.
      page.damaged.push_back({each.run, epoch, damage.what()});
    }
  }
  return page;
}

void recovery_state::read_page() {
  const auto begun_at = self_->clock().now();
  auto& portion = portions_.front();
  std::vector<shard_number> shards;
  shard_epochs epochs;
  for (const auto& each : portion.shards) {
    shards.push_back(each.shard);
    epochs.at(each.shard) = each.epoch;
  }
  adopt_runs page;
  try {
    if (!portion.runs)
      portion.runs = with_.store->list_unfinished(shards);
    const auto chosen = choose_page(portion, epochs);
    if (!chosen.runs.empty())
      page = fold_page(with_.store->read_unfinished(chosen.runs), epochs);
    // A page that could not be read to its end is read again.
    portion.next = chosen.next;
  } catch (const journal_unavailable& failure) {
    spdlog::warn("recovery_waits reason=\"{}\"", failure.what());
    go_on_after(with_.options.retry_interval);
    return;
  }
  recovered_ += page.runs.size();
  next_page_at_ = begun_at + std::chrono::nanoseconds(std::chrono::seconds(1)) *
                               static_cast<int64_t>(page.runs.size()) /
                               static_cast<int64_t>(with_.options.runs_per_second_max);
  const bool last = portion.next == portion.runs->size();
  if (!page.runs.empty() || !page.damaged.empty()) {
    busy_ = true;
    self_->send(dispatcher_, std::move(page));
  }
  if (last)
    portion_done();
  if (!busy_ && !portions_.empty())
    go_on_after({});
}

void recovery_state::portion_done() {
  self_->send(dispatcher_, shards_recovered{std::move(portions_.front().shards)});
  portions_.erase(portions_.begin());
  if (portions_.empty()) {
    spdlog::info("recovery_done runs={}", recovered_);
    recovered_ = 0;
  }
}

void recovery_state::load(const load_run& x, const caf::strong_actor_ptr& from) {
  run_loaded answer{x.run, nullptr, {}};
  try {
    answer.row = with_.store->find_row(x.run);
    const auto events = with_.store->read(x.run);
    if (!events.empty())
      answer.state = std::make_shared<run_state>(fold_journal(x.run, events, *with_.workflows));
    else if (answer.row && answer.row->has_workflow && !is_ended(answer.row->status))
      answer.damage =
        fmt::format("the journal has no events, but the row says that the run is {}", to_string(answer.row->status));
  } catch (const journal_unavailable& failure) {
    answer.failure = fmt::format("the database cannot be asked: {}", failure.what());
  } catch (const std::exception& damage) {
    answer.damage = damage.what();
  }
  if (from != nullptr)
    caf::anon_send(caf::actor_cast<caf::actor>(from), std::move(answer));
}

recovery_actor::behavior_type recovery(recovery_actor::stateful_pointer<recovery_state> self, recovery_beginning how) {
  self->state.begin(std::move(how));
  return {
    [self](const shards_taken& x) { self->state.recover(x, self->current_sender()); },
    [self](const shards_lost&) { self->state.forget(); },
    [self](const forget_shards& x) { self->state.forget_some(x); },
    [self](const load_run& x) { self->state.load(x, self->current_sender()); },
    [self](const runs_adopted&) { self->state.next_page(); },
    [self](const list_open_rows& x) { self->state.list(x, self->current_sender()); },
    [self](const note_stops& x) { self->state.note(x); },
    [self](const write_stops_again&) { self->state.write_stops(); },
    [self](const read_next_page&) { self->state.next_page(); },
  };
}

} // namespace levain
