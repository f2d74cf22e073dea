#include "actors/recovery.hpp"

#include <algorithm>
#include <caf/send.hpp>
#include <fmt/format.h>
#include <new>
#include <spdlog/spdlog.h>

#include "persistence/log_quoted.hpp"

namespace levain {

namespace {

std::string too_large_text(uint64_t bytes, uint64_t bytes_max) {
  return fmt::format("its journal has {} bytes, at most {} are read (recovery_run_bytes_max)", bytes, bytes_max);
}

std::string unwritable_text(const std::invalid_argument& why) {
  return fmt::format("the database cannot write its journal out: {}", why.what());
}

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

/// A run that has so often been too much for the memory, alone, keeps the others waiting no longer.
constexpr int lone_runs_failed_max = 3;

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
  } catch (const std::bad_alloc&) {
    throw; // This machine's fault, not the journal's.
  } catch (const std::exception& damage) {
    // Rows that were changed by hand can be broken in ways that nobody has thought of; the node must outlive them.
    throw broken_journal(damage.what());
  }
}

recovery_state::recovery_state(recovery_actor::pointer self)
  : self_(self) {}

void recovery_state::begin(recovery_beginning how) {
  with_ = std::move(how);
  survey_ = dynamic_cast<journal_survey*>(with_.store.get());
  page_runs_ = with_.options.page_runs_max;
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

bool recovery_state::is_held_up() const {
  return (with_.writers &&
          with_.writers->waiting.load(std::memory_order_relaxed) > with_.options.appends_waiting_max) ||
         (with_.memory && with_.memory->free_bytes() == 0);
}

uint64_t recovery_state::page_bytes() const {
  const auto left = with_.memory ? with_.memory->free_bytes() : with_.page_bytes_max;
  // A page that is read although nothing is left has waited for that: it is a whole one.
  return left == 0 ? with_.page_bytes_max : std::min(left, with_.page_bytes_max);
}

std::chrono::nanoseconds recovery_state::pause() {
  const auto now = self_->clock().now();
  if (!is_held_up()) {
    held_since_.reset();
    return next_page_at_ - now;
  }
  if (!held_since_)
    held_since_ = now;
  if (now - *held_since_ < recovery_hold_max)
    return with_.options.pace_interval;
  // The others may keep the database or the memory busy all the time. What was accepted is taken up all the same.
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
  page_choice page;
  page.next = from.next;
  for (; page.next < from.runs->size() && page.runs.size() < page_runs_; ++page.next)
    if (const auto& run = (*from.runs)[page.next]; epochs.at(shard_of(run))) {
      page.runs.push_back(run);
      page.next_after.push_back(page.next + 1);
    }
  return page;
}

void recovery_state::cut_by_bytes(page_choice& page) {
  if (survey_ == nullptr || page.runs.empty())
    return;
  const auto keep = [&](size_t count) {
    if (count == page.runs.size())
      return; // The runs of other shards behind the last one are passed over too.
    page.runs.resize(count);
    page.next_after.resize(count);
    page.next = page.next_after.back();
  };
  try {
    const auto sizes = survey_->sizes(page.runs, page_bytes());
    keep(std::max<size_t>(sizes.size(), 1));
    if (!sizes.empty() && sizes.front() > with_.run_bytes_max) {
      keep(1);
      page.too_large = too_large_text(sizes.front(), with_.run_bytes_max);
    } else if (sizes.size() > 1 && sizes.back() > with_.run_bytes_max) {
      keep(sizes.size() - 1); // It comes first in the next page.
    }
  } catch (const std::invalid_argument& unwritable) {
    // One of them; the first one of each page is looked at alone until it is found.
    if (page.runs.size() > 1) {
      keep(1);
      cut_by_bytes(page);
      return;
    }
    page.too_large = unwritable_text(unwritable);
  }
}

std::string recovery_state::why_unreadable(const run_id& run) {
  if (survey_ == nullptr)
    return {};
  try {
    const auto sizes = survey_->sizes({run}, with_.page_bytes_max);
    return !sizes.empty() && sizes.front() > with_.run_bytes_max ? too_large_text(sizes.front(), with_.run_bytes_max)
                                                                 : std::string();
  } catch (const std::invalid_argument& unwritable) {
    return unwritable_text(unwritable);
  }
}

adopt_runs recovery_state::read_chosen(const page_choice& page, const shard_epochs& epochs) {
  if (page.runs.empty())
    return {};
  if (page.too_large.empty())
    return fold_page(with_.store->read_unfinished(page.runs), epochs);
  adopt_runs result;
  result.damaged.push_back({page.runs.front(), epochs.at(shard_of(page.runs.front())).value(), page.too_large});
  return result;
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
  page_choice chosen;
  try {
    if (!portion.runs)
      portion.runs = with_.store->list_unfinished(shards);
    chosen = choose_page(portion, epochs);
    cut_by_bytes(chosen);
    auto page = read_chosen(chosen, epochs);
    // A page that could not be read to its end is read again.
    hand_on(std::move(page), chosen.next, begun_at);
  } catch (const journal_unavailable& failure) {
    try_a_smaller_page(failure.what());
  } catch (const std::bad_alloc&) {
    do_with_less_memory(chosen, epochs);
  }
}

void recovery_state::do_with_less_memory(const page_choice& page, const shard_epochs& epochs) {
  if (page.runs.size() != 1 || ++lone_runs_failed_ < lone_runs_failed_max) {
    try_a_smaller_page("there is too little memory for a page of runs");
    return;
  }
  adopt_runs without;
  without.damaged.push_back(
    {page.runs.front(), epochs.at(shard_of(page.runs.front())).value(),
     "there is too little memory to read its journal; it is read again from time to time"});
  hand_on(std::move(without), page.next, self_->clock().now());
}

void recovery_state::hand_on(adopt_runs page, size_t next, caf::actor_clock::time_point begun_at) {
  auto& portion = portions_.front();
  portion.next = next;
  lone_runs_failed_ = 0;
  page_runs_ = std::min(page_runs_ * 2, with_.options.page_runs_max);
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

void recovery_state::try_a_smaller_page(std::string_view reason) {
  spdlog::warn("recovery_waits reason={} page_runs={}", log_quoted(reason), page_runs_);
  page_runs_ = std::max<size_t>(page_runs_ / 2, 1);
  go_on_after(with_.options.retry_interval);
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
    std::string row_damage;
    try {
      answer.row = with_.store->find_row(x.run);
    } catch (const journal_unavailable&) {
      throw;
    } catch (const std::exception& damage) {
      // The journal is the truth; a row that others spoiled takes nothing from it.
      row_damage = damage.what();
    }
    const bool was_damaged = answer.row && answer.row->stop && answer.row->stop->kind == stop_kind::journal_damaged;
    if (was_damaged)
      answer.damage = why_unreadable(x.run);
    const auto events = answer.damage.empty() ? with_.store->read(x.run) : std::vector<event_record>();
    if (!answer.damage.empty())
      spdlog::debug("run_unreadable run={} reason={}", to_string(x.run), log_quoted(answer.damage));
    else if (!events.empty())
      answer.state = std::make_shared<run_state>(fold_journal(x.run, events, *with_.workflows));
    else if (answer.row && answer.row->has_workflow && !is_ended(answer.row->status))
      answer.damage =
        fmt::format("the journal has no events, but the row says that the run is {}", to_string(answer.row->status));
    else if (!row_damage.empty())
      spdlog::warn("row_unreadable run={} reason={}", to_string(x.run), log_quoted(row_damage));
  } catch (const journal_unavailable& failure) {
    answer.failure = fmt::format("the database cannot be asked: {}", failure.what());
  } catch (const std::bad_alloc&) {
    answer.failure = "there is too little memory to read the run's journal";
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
