#include "persistence/batch_writing.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "persistence/answer_deadline.hpp"
#include "persistence/append_rules.hpp"
#include "persistence/array_literal.hpp"
#include "persistence/audit_writing.hpp"
#include "persistence/event_columns.hpp"
#include "persistence/plain_line.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

// In the order of the shards, as a takeover locks them, so that the two cannot wait for each other.
constexpr const char* lock_epochs = R"(
  select shard, epoch
  from shards
  where shard = any($1::smallint[])
  order by shard
  for share)";

// In the order of the keys, so that two batches with the same keys cannot wait for each other, and of one key in that
// of the batch: the first has it.
constexpr const char* insert_starts = R"(
  insert into run_starts (tenant_id, idempotency_key, run_id, fingerprint)
  select tenant_id, idempotency_key, run_id, fingerprint
  from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) with ordinality
    as batch (tenant_id, idempotency_key, run_id, fingerprint, place)
  order by tenant_id, idempotency_key, place
  on conflict do nothing
  returning run_id)";

constexpr const char* find_starts = R"(
  select starts.tenant_id, starts.idempotency_key, starts.run_id, starts.fingerprint, runs.workflow_version,
    runs.triggered_by
  from run_starts starts
  left join orchestration_runs runs on runs.id = starts.run_id
  where (starts.tenant_id, starts.idempotency_key) in (select * from unnest($1::uuid[], $2::text[])))";

/// What the database said about a run's rows, with the column named where we can tell.
std::string explain_rejection(const run_append& append, const sql_failure& failure) {
  if (auto reason = find_refused(append))
    return plain_line(*reason + " (" + failure.reason + ")", reason_bytes_max);
  constexpr const char* unique_violation = "23505";
  if (failure.sqlstate == unique_violation && failure.reason.find("(run_id, seq)") != std::string::npos)
    return plain_line(
      "sequence conflict: the journal holds the event already (" + failure.reason + ")", reason_bytes_max);
  return failure.reason;
}

} // namespace

std::vector<named_statement> batch_statements() {
  return {
    {"lock_epochs", lock_epochs},
    {"insert_starts", insert_starts},
    {"find_starts", find_starts},
    {"insert_events", insert_events_statement},
    {"insert_audit_rows", insert_audit_rows_statement().c_str()},
    {"restore_audit_rows", restore_audit_rows_statement().c_str()},
    {"update_audit_rows", update_audit_rows_statement().c_str()},
  };
}

std::vector<std::string> batch_settings() {
  return {
    "set enable_seqscan = off",
    "set enable_hashjoin = off",
    "set enable_mergejoin = off",
    "set plan_cache_mode = force_generic_plan",
    "set jit = off",
    // See migration 010.
    "set levain.says_updated_at = on",
  };
}

batch_writing::batch_writing(const std::vector<run_append>& batch)
  : batch_(batch)
  , outcomes_(batch.size(), append_committed{}) {
  live_.reserve(batch.size());
  auto faults = find_unsendable(batch);
  for (size_t i = 0; i < batch.size(); ++i) {
    if (faults[i])
      outcomes_[i] = append_rejected{std::move(*faults[i])};
    else
      live_.push_back(i);
  }
}

void batch_writing::fence(pqxx::transaction_base& transaction) {
  std::array<bool, shard_count> wanted{};
  for (const size_t i : live_)
    wanted[shard_of(batch_[i].run)] = true;
  array_literal shards;
  for (size_t shard = 0; shard < wanted.size(); ++shard)
    if (wanted[shard])
      shards.number(static_cast<int64_t>(shard));
  std::array<std::optional<epoch_number>, shard_count> epochs;
  for (const auto& row : transaction.exec_prepared("lock_epochs", shards.take()))
    epochs.at(row[0].as<size_t>()) = row[1].as<epoch_number>();
  const auto is_fenced = [&](size_t i) {
    const auto epoch = epochs[shard_of(batch_[i].run)];
    if (epoch == batch_[i].epoch)
      return false;
    outcomes_[i] = append_fenced{epoch.value_or(0)};
    return true;
  };
  live_.erase(std::remove_if(live_.begin(), live_.end(), is_fenced), live_.end());
}

void batch_writing::write(pqxx::transaction_base& transaction) {
  note(write_part(transaction, live_));
}

void batch_writing::write_in_parts(pqxx::transaction_base& transaction) {
  // What a deferred constraint would say at the commit, it says in the part that is at fault.
  transaction.exec("set constraints all immediate");
  std::vector<indices> parts = {live_};
  while (!parts.empty()) {
    const indices part = std::move(parts.back());
    parts.pop_back();
    answer_deadline::restart(transaction);
    try {
      transaction.exec("savepoint part");
      const auto duplicates = write_part(transaction, part);
      transaction.exec("release savepoint part");
      note(duplicates);
    } catch (const pqxx::pqxx_exception&) {
      const sql_failure failure = classify_failure(std::current_exception());
      if (failure.kind != failure_kind::bad_rows)
        throw;
      transaction.exec("rollback to savepoint part");
      if (part.size() == 1) {
        outcomes_[part.front()] = append_rejected{explain_rejection(batch_[part.front()], failure)};
        live_.erase(std::find(live_.begin(), live_.end(), part.front()));
        continue;
      }
      // The first half comes first: of two starts with one key the earlier one is the start.
      const auto middle = part.begin() + static_cast<std::ptrdiff_t>(part.size() / 2);
      parts.emplace_back(middle, part.end());
      parts.emplace_back(part.begin(), middle);
    }
  }
}

std::vector<batch_writing::duplicate_start>
batch_writing::write_part(pqxx::transaction_base& transaction, const indices& part) const {
  answer_deadline::restart(transaction);
  auto duplicates = write_starts(transaction, part);
  answer_deadline::restart(transaction);
  if (duplicates.empty()) {
    write_rows(transaction, part);
    return duplicates;
  }
  indices fresh;
  size_t next = 0;
  for (const size_t i : part) {
    if (next < duplicates.size() && duplicates[next].index == i)
      ++next;
    else
      fresh.push_back(i);
  }
  write_rows(transaction, fresh);
  return duplicates;
}

std::vector<batch_writing::duplicate_start>
batch_writing::write_starts(pqxx::transaction_base& transaction, const indices& part) const {
  indices keyed;
  array_literal tenants;
  array_literal keys;
  array_literal runs;
  array_literal fingerprints;
  for (const size_t i : part) {
    const auto& key = batch_[i].key;
    if (!key)
      continue;
    keyed.push_back(i);
    tenants.id(key->tenant.value);
    keys.quoted(key->key);
    runs.id(batch_[i].run.value);
    fingerprints.quoted(key->fingerprint);
  }
  std::vector<duplicate_start> duplicates;
  if (keyed.empty())
    return duplicates;
  const std::string tenants_text = tenants.take();
  const std::string keys_text = keys.take();
  const auto inserted =
    transaction.exec_prepared("insert_starts", tenants_text, keys_text, runs.take(), fingerprints.take());
  if (static_cast<size_t>(inserted.size()) == keyed.size())
    return duplicates;
  std::map<std::pair<uuid, std::string>, std::pair<run_id, kept_start>> starts;
  for (const auto& row : transaction.exec_prepared("find_starts", tenants_text, keys_text)) {
    kept_start kept{row[3].c_str(), std::nullopt, row[5].is_null() ? "" : row[5].c_str()};
    if (!row[4].is_null())
      kept.version = row[4].as<int32_t>();
    starts[{read_uuid(row[0]), row[1].c_str()}] = {run_id{read_uuid(row[2])}, std::move(kept)};
  }
  // The first of a key may stand in this batch: its row is not written yet.
  for (const size_t i : keyed) {
    const auto& one = batch_[i];
    const auto start = starts.find({one.key->tenant.value, one.key->key});
    if (one.insert && start != starts.end() && start->second.first == one.run)
      start->second.second = {
        one.key->fingerprint, one.insert->workflow_version, one.insert->triggered_by.value_or("")};
  }
  for (const size_t i : keyed) {
    const auto& key = *batch_[i].key;
    const auto start = starts.find({key.tenant.value, key.key});
    if (start == starts.end())
      throw pqxx::serialization_failure("a start's key was deleted while it was looked up");
    const auto& [existing, kept] = start->second;
    if (existing != batch_[i].run)
      duplicates.push_back({i, {existing, is_repeated(key, kept)}});
  }
  return duplicates;
}

void batch_writing::write_rows(pqxx::transaction_base& transaction, const indices& part) const {
  std::vector<std::pair<run_id, const event_record*>> events;
  std::vector<const audit_row*> inserts;
  std::vector<const audit_row*> updates;
  for (const size_t i : part) {
    const run_append& append = batch_[i];
    for (const event_record& event : append.events)
      events.emplace_back(append.run, &event);
    if (append.insert)
      inserts.push_back(&*append.insert);
    if (append.update)
      updates.push_back(&*append.update);
  }
  if (!events.empty())
    transaction.exec_prepared("insert_events", parameters_of(event_parameters(events)));
  answer_deadline::restart(transaction);
  if (!inserts.empty())
    transaction.exec_prepared("insert_audit_rows", parameters_of(audit_rows_parameters(inserts)));
  if (updates.empty())
    return;
  answer_deadline::restart(transaction);
  const auto parameters = audit_rows_parameters(updates);
  const auto updated = transaction.exec_prepared("update_audit_rows", parameters_of(parameters));
  // The row is a fold of the journal: when somebody deleted it, it comes back.
  if (updated.affected_rows() < updates.size())
    transaction.exec_prepared("restore_audit_rows", parameters_of(parameters));
}

void batch_writing::note(const std::vector<duplicate_start>& duplicates) {
  for (const auto& [index, outcome] : duplicates) {
    outcomes_[index] = outcome;
    live_.erase(std::find(live_.begin(), live_.end(), index));
  }
}

} // namespace levain
