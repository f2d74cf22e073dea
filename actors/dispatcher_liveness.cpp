// What the dispatcher does for the watchdog, and what it knows of the runs that nobody acts for.
#include <algorithm>
#include <caf/send.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/dispatcher.hpp"
#include "actors/run_machine/plain_line.hpp"
#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

/// A journal that could not be followed may have been repaired; of the others the journal says nothing new, and a
/// person decides.
bool is_looked_at_again(const run_stop& stop) {
  return stop.kind == stop_kind::journal_damaged;
}

} // namespace

// ---- runs that nobody acts for ----------------------------------------------

void dispatcher_state::stop_run(const run_id& run, stop_kind kind, const std::string& reason) {
  const auto epoch = epochs_.find(shard_of(run));
  if (epoch == epochs_.end())
    return; // Its owner finds out by itself.
  auto line = plain_line(reason);
  const auto known = stopped_.find(run);
  if (known != stopped_.end() && known->second.kind == kind && known->second.reason == line)
    return; // It is written down, and was looked at again in vain.
  spdlog::error("run_stopped run={} kind={} reason={}", to_string(run), to_string(kind), log_quoted(line));
  run_stop stop{kind, std::move(line), environment_->now()};
  if (known != stopped_.end() && known->second.kind == kind)
    stop.since = known->second.since;
  self_->send(environment_->recovery, note_stops{{{run, epoch->second, stop}}});
  stopped_.insert_or_assign(run, std::move(stop));
}

void dispatcher_state::take_up(const std::vector<run_id>& runs) {
  note_stops resumed;
  for (const auto& run : runs) {
    if (stopped_.erase(run) > 0)
      spdlog::info("run_taken_up_again run={}", to_string(run));
    if (const auto epoch = epochs_.find(shard_of(run)); epoch != epochs_.end())
      resumed.changes.push_back({run, epoch->second, std::nullopt});
  }
  if (!resumed.changes.empty())
    self_->send(environment_->recovery, std::move(resumed));
}

bool dispatcher_state::is_ready(const run_id& run) const {
  const auto shard = shard_of(run);
  return owns(run) &&
         std::any_of(ready_.begin(), ready_.end(), [&](const shard_lease& each) { return each.shard == shard; });
}

explanation dispatcher_state::explain_absent(const run_loaded& x) const {
  explanation said;
  if (x.state) {
    said = explain(*x.state, {environment_->now(), environment_->variables});
  } else if (!x.damage.empty()) {
    said.summary = "nobody can act for the run: its journal is damaged";
  } else {
    said.summary = "the run has only its row, which says that it is " + std::string(to_string(x.row->status));
    said.waits.push_back({"row", {}, why_without_journal(*x.row), std::nullopt, std::nullopt});
    return said;
  }
  const auto known = stopped_.find(x.run);
  auto stop = known != stopped_.end() ? std::optional(known->second) : x.row ? x.row->stop : std::nullopt;
  if (!x.damage.empty() && (!stop || stop->kind != stop_kind::journal_damaged))
    stop = run_stop{stop_kind::journal_damaged, x.damage, environment_->now()};
  if (stop)
    said.waits.push_back(
      {"stopped",
       {},
       fmt::format(
         "nobody acts for it since {} ({}): {}; it goes on once that is mended{}",
         clock_text(stop->since, environment_->now()), to_string(stop->kind), stop->reason,
         is_looked_at_again(*stop) ? "" : " and somebody retries it"),
       stop->since,
       std::nullopt});
  else if (x.state->phase != run_phase::ended && !owns(x.run))
    said.waits.push_back(
      {"owner",
       {},
       fmt::format("shard {} is not this node's: the node that owns it acts for the run", shard_of(x.run)),
       std::nullopt,
       std::nullopt});
  else if (x.state->phase != run_phase::ended && (!x.row || is_ended(x.row->status)))
    said.waits.push_back(
      {"recovery",
       {},
       fmt::format(
         "the run goes on by its journal, but {}: its row was changed by other programs; this node takes the run up "
         "and writes its row anew",
         x.row ? "its row says that it is " + std::string(to_string(x.row->status))
               : std::string("it has no row that can be read")),
       std::nullopt,
       std::nullopt});
  else if (x.state->phase != run_phase::ended)
    said.waits.push_back({"recovery", {}, "the run is about to be taken up by this node", std::nullopt, std::nullopt});
  return said;
}

std::string dispatcher_state::why_without_journal(const row_outline& row) {
  if (!row.has_workflow)
    return "the row was not written by this engine and has no journal, so nobody can act for it";
  return "the run has ended, and its journal was dropped since; what its row says is all that is left";
}

void dispatcher_state::answer_without_state(const run_loaded& x, pending_load& load) {
  const wish_refused nothing{wish_refused::reason_type::not_found, "there is no such run of this tenant"};
  const auto reason = !x.damage.empty() ? "nobody can act for the run: its journal is damaged: " + x.damage
                      : x.row           ? why_without_journal(*x.row)
                                        : std::string();
  for (auto& each : load.changes)
    each.outcome(
      x.row && x.row->tenant == each.tenant ? wish_refused{wish_refused::reason_type::conflict, reason} : nothing);
  for (auto& each : load.explanations) {
    if (x.row && x.row->tenant == each.tenant)
      each.outcome(explain_absent(x));
    else
      each.outcome(nothing);
  }
  if (!x.damage.empty() && load.epoch && load.epoch == epoch_of(x.run))
    stop_run(x.run, stop_kind::journal_damaged, x.damage);
}

// ---- for the watchdog -------------------------------------------------------

void dispatcher_state::look_at_live_runs(const look_at_live& x) {
  live_page page;
  if (x.cursor == 0)
    page.served = begin_waiting();
  // By the buckets of the table: a run that moves to another one while it grows is asked in the next look.
  size_t bucket = x.cursor;
  for (; bucket < live_.bucket_count() && page.asked.size() < x.limit; ++bucket)
    for (auto each = live_.begin(bucket); each != live_.end(bucket); ++each)
      page.asked.push_back(each->first);
  page.next = bucket < live_.bucket_count() ? bucket : 0;
  x.page(page);
  for (const auto& run : page.asked) {
    const auto epoch = epoch_of(run);
    self_->send(
      live_.at(run).actor,
      liveness_asked{epoch.value_or(0), queue_->waits(run), x.overdue_grace, x.database_since, x.told});
  }
}

void dispatcher_state::look_at_open_rows(look_at_rows& x) {
  self_->send(environment_->recovery, list_open_rows{ready_, std::move(x)});
}

void dispatcher_state::rows_listed(open_rows_listed& x) {
  std::erase_if(x.found.missing, [&](const run_id& run) {
    return !is_ready(run) || live_.contains(run) || loads_.contains(run) || stopped_.contains(run) ||
           std::find(to_revive_.begin(), to_revive_.end(), run) != to_revive_.end();
  });
  x.page(std::move(x.found));
}

void dispatcher_state::look_at_stopped_runs(size_t limit) {
  std::erase_if(stopped_, [&](const auto& each) { return !owns(each.first); });
  // Every one in its turn, in the order of the ids.
  for (auto next = stopped_.upper_bound(stopped_looked_at_); limit > 0 && next != stopped_.end(); ++next) {
    stopped_looked_at_ = next->first;
    if (!is_looked_at_again(next->second))
      continue;
    read_back(next->first, [](pending_load& load) { load.revive = true; });
    --limit;
  }
  if (limit > 0)
    stopped_looked_at_ = {};
}

void dispatcher_state::heal(const heal_run& x) {
  if (loads_.contains(x.run))
    return;
  if (const auto found = live_.find(x.run); found != live_.end()) {
    // It refuses what people wait for, and is gone; if it cannot, nobody hears of it any more.
    self_->send(found->second.actor, leave_run{});
    by_address_.erase(found->second.actor.address());
    forget(x.run);
    begin_waiting();
  }
  if (!owns(x.run))
    return; // It was on its way to another node, which finds it.
  if (x.give_up)
    stop_run(x.run, stop_kind::stuck, x.detail);
  else
    revive(x.run);
}

void dispatcher_state::revive(const run_id& run) {
  // Its actor may have left something on its way to the journal: that is to be read back as well.
  auto& load = loads_[run];
  load.revive = true;
  load.settling = true;
  self_->send(environment_->writer_of(run), settle_run{run});
}

void dispatcher_state::revive_again() {
  for (const auto& run : std::exchange(to_revive_, {}))
    if (owns(run) && !live_.contains(run))
      revive(run);
}

void dispatcher_state::settled(const run_settled& x) {
  const auto found = loads_.find(x.run);
  if (found == loads_.end() || !found->second.settling)
    return;
  found->second.settling = false;
  found->second.epoch = epoch_of(x.run);
  self_->send(environment_->recovery, load_run{x.run});
}

} // namespace levain
