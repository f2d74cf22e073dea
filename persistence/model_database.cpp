#include "persistence/model_database.hpp"

namespace levain {

model_database::model_database(std::function<timestamp()> clock)
  : clock_(std::move(clock)) {}

std::optional<audit_row> model_database::row(const run_id& run) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(run);
  if (found == rows_.end())
    return std::nullopt;
  return found->second;
}

std::vector<audit_row> model_database::rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<audit_row> all;
  all.reserve(rows_.size());
  for (const auto& [run, row] : rows_)
    all.push_back(row);
  return all;
}

std::vector<event_record> model_database::events(const run_id& run) const {
  const std::lock_guard lock(mutex_);
  const auto found = events_.find(run);
  return found == events_.end() ? std::vector<event_record>{} : found->second;
}

std::vector<std::pair<start_key, run_id>> model_database::starts() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<start_key, run_id>> all;
  for (const auto& [key, start] : starts_)
    all.push_back({{key.first, key.second, start.fingerprint}, start.run});
  return all;
}

epoch_number model_database::epoch(shard_number shard) const {
  const std::lock_guard lock(mutex_);
  return shards_.at(shard).epoch;
}

void model_database::set_epoch(shard_number shard, epoch_number epoch) {
  const std::lock_guard lock(mutex_);
  shards_.at(shard).epoch = epoch;
}

std::optional<run_stop> model_database::stop(const run_id& run) const {
  const std::lock_guard lock(mutex_);
  const auto found = stops_.find(run);
  if (found == stops_.end())
    return std::nullopt;
  return found->second;
}

void model_database::tamper_with_events(
  const run_id& run, const std::function<void(std::vector<event_record>&)>& change) {
  const std::lock_guard lock(mutex_);
  auto& events = events_[run];
  change(events);
  if (events.empty())
    events_.erase(run);
}

void model_database::tamper_with_row(const run_id& run, const std::function<void(audit_row&)>& change) {
  const std::lock_guard lock(mutex_);
  change(rows_.at(run));
}

void model_database::delete_row(const run_id& run) {
  const std::lock_guard lock(mutex_);
  const auto row = rows_.find(run);
  if (row == rows_.end())
    return;
  run_numbers_.erase(row->second.run_number);
  rows_.erase(row);
}

void model_database::add_row(const audit_row& row) {
  const std::lock_guard lock(mutex_);
  rows_[row.id] = row;
}

void model_database::remove_definition(const std::string& name, int32_t version) {
  const std::lock_guard lock(mutex_);
  definitions_.erase({name, version});
}

} // namespace levain
