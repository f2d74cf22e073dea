#include "persistence/batch_writing.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "persistence/answer_deadline.hpp"
#include "persistence/append_rules.hpp"
#include "persistence/array_literal.hpp"
#include "persistence/audit_writing.hpp"
#include "persistence/event_columns.hpp"
#include "persistence/plain_line.hpp"
#include "persistence/resolution.hpp"
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

constexpr const char* find_events = R"(
  select run_id, seq, at, kind, step, attempt, body
  from run_events
  where (run_id, seq) in (select * from unnest($1::uuid[], $2::integer[])))";

constexpr const char* limit_lock_wait = "select set_config('lock_timeout', $1, true)";

// The batch is about to update these rows: what it can have now, it has until its end.
constexpr const char* lock_free_rows = R"(
  select id
  from orchestration_runs
  where id = any($1::uuid[])
  for no key update skip locked)";

constexpr const char* find_rows = R"(
  select id
  from orchestration_runs
  where id = any($1::uuid[]))";

bool is_sequence_conflict(const sql_failure& failure) {
  constexpr const char* unique_violation = "23505";
  return failure.sqlstate == unique_violation && failure.reason.find("(run_id, seq)") != std::string::npos;
}

std::set<run_id> ids_of(const pqxx::result& rows) {
  std::set<run_id> ids;
  for (const auto& row : rows)
    ids.insert(run_id{read_uuid(row[0])});
  return ids;
}

/// A trigger or a rule of others may drop rows without a word; what is not there must not be acknowledged. It blames
/// the rows, as an error of a trigger does.
void expect_kept(const pqxx::result& written, size_t count, const std::string& table) {
  if (const auto kept = written.affected_rows(); kept < count)
    throw pqxx::sql_error(
      "a trigger or a rule on " + table + " kept " + std::to_string(kept) + " of " + std::to_string(count) +
        " rows that were written; remove it",
      table, "23000");
}

} // namespace

std::vector<named_statement> batch_statements() {
  return {
    {"lock_epochs", lock_epochs},
    {"insert_starts", insert_starts},
    {"find_starts", find_starts},
    {"find_events", find_events},
    {"limit_lock_wait", limit_lock_wait},
    {"lock_free_rows", lock_free_rows},
    {"find_rows", find_rows},
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
        outcomes_[part.front()] = judge_alone(transaction, part.front(), failure);
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

append_outcome
batch_writing::judge_alone(pqxx::transaction_base& transaction, size_t index, const sql_failure& failure) const {
  const run_append& append = batch_[index];
  if (auto reason = find_refused(append))
    return append_rejected{plain_line(*reason + " (" + failure.reason + ")", reason_bytes_max)};
  if (!is_sequence_conflict(failure))
    return append_rejected{failure.reason};
  // A number that is used already is no fault of the row: it may be this very event, from a commit that was taken for
  // lost.
  if (is_written(transaction, append))
    return append_committed{};
  return append_rejected{
    plain_line("sequence conflict: the journal holds the event already (" + failure.reason + ")", reason_bytes_max)};
}

bool batch_writing::is_written(pqxx::transaction_base& transaction, const run_append& append) const {
  if (append.events.empty())
    return false;
  array_literal run;
  array_literal number;
  run.id(append.run.value);
  number.number(append.events.back().seq);
  std::vector<event_record> found;
  for (const auto& row : transaction.exec_prepared("find_events", run.take(), number.take()))
    read_event_into(found, row);
  return !found.empty() && same_fact(found.front(), append.events.back());
}

void batch_writing::pass_over_locked(pqxx::transaction_base& transaction, std::chrono::milliseconds key_wait_max) {
  hold_up_locked_rows(transaction);
  transaction.exec_prepared("limit_lock_wait", std::to_string(key_wait_max.count()));
  hold_up_locked_keys(transaction);
}

void batch_writing::hold_up_locked_rows(pqxx::transaction_base& transaction) {
  array_literal updated;
  bool any = false;
  for (const size_t i : live_)
    if (batch_[i].update) {
      updated.id(batch_[i].run.value);
      any = true;
    }
  if (!any)
    return;
  answer_deadline::restart(transaction);
  const auto ids = updated.take();
  const auto free = ids_of(transaction.exec_prepared("lock_free_rows", ids));
  const auto there = ids_of(transaction.exec_prepared("find_rows", ids));
  for (const size_t i : indices(live_))
    if (batch_[i].update && there.contains(batch_[i].run) && !free.contains(batch_[i].run))
      hold_up(i, "another transaction has locked its row of orchestration_runs");
}

void batch_writing::hold_up_locked_keys(pqxx::transaction_base& transaction) {
  indices keyed;
  for (const size_t i : live_)
    if (batch_[i].key)
      keyed.push_back(i);
  std::vector<indices> parts = {keyed};
  while (!parts.empty()) {
    const indices part = std::move(parts.back());
    parts.pop_back();
    if (part.empty())
      continue;
    answer_deadline::restart(transaction);
    transaction.exec("savepoint keys");
    std::optional<sql_failure> failure;
    try {
      write_starts(transaction, part);
    } catch (const pqxx::pqxx_exception&) {
      failure = classify_failure(std::current_exception());
      if (failure->sqlstate != lock_not_available && failure->kind != failure_kind::bad_rows)
        throw;
    }
    // It was only tried: the writing itself comes later, with all that is left.
    transaction.exec("rollback to savepoint keys");
    if (!failure || failure->sqlstate != lock_not_available)
      continue;
    if (part.size() == 1) {
      hold_up(
        part.front(), "another transaction has not ended that uses its idempotency key (" + failure->reason + ")");
      continue;
    }
    const auto middle = part.begin() + static_cast<std::ptrdiff_t>(part.size() / 2);
    parts.emplace_back(middle, part.end());
    parts.emplace_back(part.begin(), middle);
  }
}

void batch_writing::hold_up(size_t index, std::string reason) {
  outcomes_[index] = append_held_up{plain_line(reason, reason_bytes_max)};
  live_.erase(std::find(live_.begin(), live_.end(), index));
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
    expect_kept(
      transaction.exec_prepared("insert_events", parameters_of(event_parameters(events))), events.size(), "run_events");
  answer_deadline::restart(transaction);
  if (!inserts.empty())
    expect_kept(
      transaction.exec_prepared("insert_audit_rows", parameters_of(audit_rows_parameters(inserts))), inserts.size(),
      "orchestration_runs");
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
