#include "persistence/model_journal.hpp"

#include <algorithm>
#include <cassert>
#include <set>

#include "persistence/append_rules.hpp"
#include "persistence/resolution.hpp"

namespace levain {

model_journal::model_journal(std::shared_ptr<model_database> database, std::shared_ptr<const model_manners> manners)
  : database_(std::move(database))
  , manners_(manners ? std::move(manners) : std::make_shared<const model_manners>()) {}

append_answer model_journal::append(const std::vector<run_append>& batch) {
  append_answer answer;
  const model_fault fault = manners_->on_append ? manners_->on_append(batch) : model_fault::none;
  if (fault == model_fault::transient) {
    answer.status = append_answer::status_type::transient;
    answer.reason = "the model has lost its database";
    return answer;
  }
  const std::lock_guard lock(database_->mutex_);
  auto faults = find_unsendable(batch);
  bool any_written = false;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (faults[i])
      answer.outcomes.emplace_back(append_rejected{std::move(*faults[i])});
    else
      answer.outcomes.push_back(fault == model_fault::in_doubt_before_commit ? judge(batch[i]) : write(batch[i]));
    any_written = any_written || std::holds_alternative<append_committed>(answer.outcomes.back());
  }
  // Where nothing is left to be written there is no commit to be lost.
  if (fault != model_fault::none && any_written) {
    planned_ = std::move(answer.outcomes);
    answer.outcomes.clear();
    answer.status = append_answer::status_type::in_doubt;
    answer.reason = "the model has lost the answer of its commit";
  }
  return answer;
}

append_outcome model_journal::judge(const run_append& append) const {
  const epoch_number epoch = database_->shards_[shard_of(append.run)].epoch;
  if (epoch != append.epoch)
    return append_fenced{epoch};
  if (append.key) {
    const auto start = database_->starts_.find({append.key->tenant, append.key->key});
    if (start != database_->starts_.end() && start->second.run != append.run) {
      kept_start kept{start->second.fingerprint, std::nullopt, {}};
      if (const auto row = database_->rows_.find(start->second.run); row != database_->rows_.end()) {
        kept.version = row->second.workflow_version;
        kept.triggered_by = row->second.triggered_by.value_or("");
      }
      return append_duplicate{start->second.run, is_repeated(*append.key, kept)};
    }
  }
  if (manners_->is_locked && manners_->is_locked(append))
    return append_held_up{"the model has locked its row"};
  if (manners_->on_row)
    if (auto reason = manners_->on_row(append))
      return append_rejected{std::move(*reason)};
  if (auto reason = find_refused(append))
    return append_rejected{std::move(*reason)};
  if (is_written(append))
    return append_committed{};
  if (auto reason = find_conflict(append))
    return append_rejected{std::move(*reason)};
  return append_committed{};
}

bool model_journal::is_written(const run_append& append) const {
  const auto events = database_->events_.find(append.run);
  return !append.events.empty() && events != database_->events_.end() &&
         std::ranges::any_of(
           events->second, [&](const event_record& event) { return same_fact(event, append.events.back()); });
}

std::optional<std::string> model_journal::find_conflict(const run_append& append) const {
  // A number is used once. A hole is nothing that the tables see: whoever folds the journal finds it.
  if (const auto events = database_->events_.find(append.run); events != database_->events_.end())
    for (const event_record& event : append.events)
      if (std::ranges::binary_search(events->second, event.seq, {}, &event_record::seq))
        return "sequence conflict: the journal holds event " + std::to_string(event.seq) + " already";
  if (append.insert) {
    if (database_->rows_.count(append.run) > 0)
      return "id: the run " + to_string(append.run) + " has a row already";
    if (database_->run_numbers_.count(append.insert->run_number) > 0)
      return "run_number: " + append.insert->run_number + " is taken";
  }
  if (append.update) {
    const auto number = database_->run_numbers_.find(append.update->run_number);
    if (number != database_->run_numbers_.end() && number->second != append.run)
      return "run_number: " + append.update->run_number + " is taken";
  }
  return std::nullopt;
}

append_outcome model_journal::write(const run_append& append) {
  append_outcome outcome = judge(append);
  if (!std::holds_alternative<append_committed>(outcome) || is_written(append))
    return outcome;
  if (!append.events.empty()) {
    auto& events = database_->events_[append.run];
    // In the order of their numbers, which is that of arrival unless there are holes.
    const auto place = std::ranges::upper_bound(events, append.events.front().seq, {}, &event_record::seq);
    events.insert(place, append.events.begin(), append.events.end());
  }
  if (append.key)
    database_->starts_[{append.key->tenant, append.key->key}] = {append.run, append.key->fingerprint};
  const auto& row = append.insert ? append.insert : append.update;
  if (row) {
    auto& stored = database_->rows_[append.run];
    if (!stored.run_number.empty())
      database_->run_numbers_.erase(stored.run_number);
    stored = as_stored(*row);
    database_->run_numbers_[stored.run_number] = append.run;
  }
  return outcome;
}

journal::resolution model_journal::resolve(const std::vector<run_append>& batch) {
  if (manners_->can_resolve && !manners_->can_resolve()) {
    append_answer answer;
    answer.status = append_answer::status_type::transient;
    answer.reason = "the model has lost its database";
    return {false, std::move(answer)};
  }
  const std::lock_guard lock(database_->mutex_);
  assert(planned_.size() == batch.size());
  std::vector<found_append> found;
  for (const run_append& append : batch) {
    found_append run{database_->shards_[shard_of(append.run)].epoch, false};
    run.written = is_written(append);
    found.push_back(run);
  }
  return {true, decide_resolution(batch, found, planned_)};
}

bool model_journal::is_open_row(const audit_row& row, const std::vector<shard_number>& shards) {
  return !is_ended(row.status) && std::find(shards.begin(), shards.end(), shard_of(row.id)) != shards.end();
}

bool model_journal::is_unfinished(const audit_row& row) const {
  return !is_ended(row.status) && (!row.workflow.empty() || database_->events_.contains(row.id));
}

std::vector<run_id> model_journal::list_unfinished(const std::vector<shard_number>& shards) {
  expect_readable();
  const std::lock_guard lock(database_->mutex_);
  std::vector<run_id> runs;
  for (const auto& [run, row] : database_->rows_)
    if (is_open_row(row, shards) && is_unfinished(row))
      runs.push_back(run);
  return runs;
}

std::vector<unfinished_run> model_journal::read_unfinished(const std::vector<run_id>& runs) {
  expect_readable();
  const std::lock_guard lock(database_->mutex_);
  std::vector<unfinished_run> found;
  std::set<run_id> seen;
  for (const auto& run : runs) {
    const auto row = database_->rows_.find(run);
    if (row == database_->rows_.end() || !is_unfinished(row->second) || !seen.insert(run).second)
      continue;
    found.push_back({run, {}, {}, database_->stops_.contains(run), row->second.updated_at, row->second.status});
    if (const auto events = database_->events_.find(run); events != database_->events_.end())
      found.back().damage = read_until_damage(events->second, found.back().events);
  }
  return found;
}

std::string
model_journal::read_until_damage(const std::vector<event_record>& stored, std::vector<event_record>& events) {
  for (const auto& event : stored) {
    if (static_cast<int>(event.kind) >= event_kind_count)
      return "event " + std::to_string(event.seq) + ": column kind: '" + std::to_string(static_cast<int>(event.kind)) +
             "' is unknown to this program";
    events.push_back(event);
  }
  return {};
}

std::vector<event_record> model_journal::read(const run_id& run) {
  expect_readable();
  std::vector<event_record> events;
  const auto damage = read_until_damage(database_->events(run), events);
  if (!damage.empty())
    throw journal_unreadable(damage);
  return events;
}

std::optional<row_outline> model_journal::find_row(const run_id& run) {
  expect_readable();
  const auto row = database_->row(run);
  if (!row)
    return std::nullopt;
  return row_outline{row->tenant, row->status, !row->workflow.empty(), database_->stop(run)};
}

std::vector<run_id>
model_journal::open_rows(const std::vector<shard_lease>& shards, const std::optional<run_id>& after, size_t limit) {
  expect_readable();
  const std::lock_guard lock(database_->mutex_);
  std::vector<shard_number> owned;
  for (const auto& each : shards)
    if (database_->shards_[each.shard].epoch == each.epoch)
      owned.push_back(each.shard);
  std::vector<run_id> runs;
  auto row = after ? database_->rows_.upper_bound(*after) : database_->rows_.begin();
  for (; row != database_->rows_.end() && runs.size() < limit; ++row)
    if (is_open_row(row->second, owned) && !row->second.workflow.empty())
      runs.push_back(row->first);
  return runs;
}

void model_journal::write_stops(const std::vector<stop_change>& changes) {
  expect_readable();
  const std::lock_guard lock(database_->mutex_);
  for (const auto& change : changes) {
    if (database_->shards_[shard_of(change.run)].epoch != change.epoch)
      continue;
    if (!change.stop) {
      database_->stops_.erase(change.run);
      continue;
    }
    const auto [place, fresh] = database_->stops_.try_emplace(change.run);
    const bool goes_on = !fresh && place->second.kind == change.stop->kind;
    place->second = {change.stop->kind, change.stop->reason, goes_on ? place->second.since : database_->clock_()};
  }
}

void model_journal::expect_readable() const {
  if (manners_->can_read && !manners_->can_read())
    throw journal_unavailable("the model has lost its database");
}

} // namespace levain
