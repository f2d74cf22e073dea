#include "persistence/postgres_journal.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <pqxx/pqxx>

#include "persistence/array_literal.hpp"
#include "persistence/batch_writing.hpp"
#include "persistence/event_columns.hpp"
#include "persistence/plain_line.hpp"
#include "persistence/resolution.hpp"
#include "persistence/session.hpp"
#include "persistence/sql_errors.hpp"
#include "persistence/stop_writing.hpp"
#include "persistence/survey_reading.hpp"
#include "persistence/unfinished_reading.hpp"

namespace levain {

namespace {

// Waits until the lost transaction has ended: it holds these rows for share.
constexpr const char* await_epochs = R"(
  select shard, epoch
  from shards
  where shard = any($1::smallint[])
  order by shard
  for update)";

std::vector<named_statement> journal_statements() {
  auto statements = batch_statements();
  statements.push_back({"await_epochs", await_epochs});
  for (const auto& more : {unfinished_statements(), stop_statements(), survey_statements()})
    statements.insert(statements.end(), more.begin(), more.end());
  return statements;
}

connection_options connection_options_of(const postgres_journal_options& options) {
  connection_options connection;
  connection.url = options.url;
  connection.application_name = options.application_name;
  connection.connect_timeout = options.connect_timeout;
  connection.statement_timeout = options.statement_timeout;
  connection.answer_margin = options.answer_margin;
  connection.lock_timeout = options.lock_timeout;
  connection.idle_in_transaction_timeout = options.idle_in_transaction_timeout;
  return connection;
}

/// How a batch is written that could not be written as a whole.
struct care {
  /// The rows are at fault: in halves, until the guilty is alone.
  bool in_parts = false;
  /// Others hold locks: around them.
  bool around_locks = false;
};

append_answer transient(std::string reason) {
  append_answer answer;
  answer.status = append_answer::status_type::transient;
  answer.reason = std::move(reason);
  return answer;
}

append_answer done(std::vector<append_outcome> outcomes) {
  append_answer answer;
  answer.outcomes = std::move(outcomes);
  return answer;
}

} // namespace

struct postgres_journal::impl {
  explicit impl(postgres_journal_options given)
    : options(std::move(given))
    , session(connection_options_of(options), journal_statements(), batch_settings()) {}

  /// Nothing when the transaction is to be tried again with more care, which is noted.
  std::optional<append_answer> transact(const std::vector<run_append>& batch, care& with);
  std::optional<append_answer> commit(pqxx::work& transaction, batch_writing& writing, care& with);
  /// True when a run of the batch was held up the last time.
  bool expects_locks(const std::vector<run_append>& batch) const;
  void remember_held_up(const std::vector<run_append>& batch, const std::vector<append_outcome>& outcomes);
  append_answer give_up(sql_failure failure);
  std::vector<found_append> look_up(pqxx::transaction_base& transaction, const std::vector<run_append>& batch);

  postgres_journal_options options;
  levain::session session;
  /// What the transaction in doubt was about to answer.
  std::vector<append_outcome> planned;
  /// Runs that were held up when they were tried last.
  std::set<run_id> held_up;
};

postgres_journal::postgres_journal(postgres_journal_options options)
  : impl_(std::make_unique<impl>(std::move(options))) {}

postgres_journal::~postgres_journal() = default;

// -- append
// --------------------------------------------------------------------------------------------------------------

append_answer postgres_journal::append(const std::vector<run_append>& batch) {
  care with{.around_locks = impl_->expects_locks(batch)};
  for (;;)
    if (auto answer = impl_->transact(batch, with)) {
      impl_->remember_held_up(batch, answer->outcomes);
      return std::move(*answer);
    }
}

bool postgres_journal::impl::expects_locks(const std::vector<run_append>& batch) const {
  return !held_up.empty() &&
         std::ranges::any_of(batch, [&](const run_append& append) { return held_up.contains(append.run); });
}

void postgres_journal::impl::remember_held_up(
  const std::vector<run_append>& batch, const std::vector<append_outcome>& outcomes) {
  for (size_t i = 0; i < outcomes.size(); ++i)
    if (std::holds_alternative<append_held_up>(outcomes[i]))
      held_up.insert(batch[i].run);
    else if (!held_up.empty())
      held_up.erase(batch[i].run);
}

std::optional<append_answer> postgres_journal::impl::transact(const std::vector<run_append>& batch, care& with) {
  batch_writing writing(batch);
  if (writing.nothing_to_write())
    return done(std::move(writing.outcomes()));
  try {
    auto& connection = session.open();
    const auto waiting = session.await_answers();
    pqxx::work transaction(connection);
    writing.fence(transaction);
    if (with.around_locks)
      writing.pass_over_locked(transaction, options.key_wait_max);
    if (with.in_parts)
      writing.write_in_parts(transaction);
    else
      writing.write(transaction);
    if (writing.nothing_to_write())
      return done(std::move(writing.outcomes()));
    return commit(transaction, writing, with);
  } catch (...) {
    sql_failure failure = classify_failure(std::current_exception());
    if (failure.kind == failure_kind::bad_rows && !std::exchange(with.in_parts, true))
      return std::nullopt;
    if (failure.sqlstate == lock_not_available && !std::exchange(with.around_locks, true))
      return std::nullopt;
    return give_up(std::move(failure));
  }
}

std::optional<append_answer>
postgres_journal::impl::commit(pqxx::work& transaction, batch_writing& writing, care& with) {
  try {
    answer_deadline::restart(transaction);
    transaction.commit();
    return done(std::move(writing.outcomes()));
  } catch (...) {
    sql_failure failure = classify_commit_failure(std::current_exception());
    if (failure.kind == failure_kind::bad_rows && !std::exchange(with.in_parts, true))
      return std::nullopt;
    if (failure.kind != failure_kind::in_doubt)
      return give_up(std::move(failure));
    planned = std::move(writing.outcomes());
    append_answer answer;
    answer.status = append_answer::status_type::in_doubt;
    answer.reason = session.explain(std::move(failure.reason));
    return answer;
  }
}

append_answer postgres_journal::impl::give_up(sql_failure failure) {
  if (failure.connection_lost)
    session.drop();
  if (failure.kind == failure_kind::schema)
    failure.reason = "the database's schema does not fit this program, migrate it: " + failure.reason;
  return transient(session.explain(std::move(failure.reason)));
}

// -- resolve
// -------------------------------------------------------------------------------------------------------------

journal::resolution postgres_journal::resolve(const std::vector<run_append>& batch) {
  impl_->session.drop();
  // Without what was planned (another object appended), the transaction is taken to have planned all of it.
  if (impl_->planned.size() != batch.size())
    impl_->planned.assign(batch.size(), append_committed{});
  try {
    auto& connection = impl_->session.open();
    const auto waiting = impl_->session.await_answers();
    pqxx::work transaction(connection);
    transaction.exec_prepared("limit_lock_wait", std::to_string(impl_->options.resolve_lock_timeout.count()));
    const auto found = impl_->look_up(transaction, batch);
    return {true, decide_resolution(batch, found, impl_->planned)};
  } catch (...) {
    return {false, impl_->give_up(classify_failure(std::current_exception()))};
  }
}

std::vector<found_append>
postgres_journal::impl::look_up(pqxx::transaction_base& transaction, const std::vector<run_append>& batch) {
  array_literal shards;
  array_literal runs;
  array_literal numbers;
  for (const run_append& append : batch) {
    shards.number(shard_of(append.run));
    if (append.events.empty())
      continue;
    runs.id(append.run.value);
    numbers.number(append.events.back().seq);
  }
  std::map<shard_number, epoch_number> epochs;
  for (const auto& row : transaction.exec_prepared("await_epochs", shards.take()))
    epochs[static_cast<shard_number>(row[0].as<int>())] = row[1].as<epoch_number>();
  std::map<std::pair<run_id, int32_t>, event_record> newest;
  for (const auto& row : transaction.exec_prepared("find_events", runs.take(), numbers.take())) {
    // What cannot be read is not what was to be written.
    std::vector<event_record> event;
    read_event_into(event, row);
    if (!event.empty())
      newest.emplace(std::pair(run_id{read_uuid(row[0])}, event.front().seq), std::move(event.front()));
  }
  std::vector<found_append> found;
  for (const run_append& append : batch) {
    found_append run{epochs[shard_of(append.run)], false};
    if (!append.events.empty()) {
      const auto event = newest.find({append.run, append.events.back().seq});
      run.written = event != newest.end() && same_fact(event->second, append.events.back());
    }
    found.push_back(run);
  }
  return found;
}

// -- reading
// -------------------------------------------------------------------------------------------------------------

std::vector<run_id> postgres_journal::list_unfinished(const std::vector<shard_number>& shards) {
  return impl_->session.ask([&](pqxx::work& transaction) { return levain::list_unfinished(transaction, shards); });
}

std::vector<unfinished_run> postgres_journal::read_unfinished(const std::vector<run_id>& runs) {
  return impl_->session.ask([&](pqxx::work& transaction) { return levain::read_unfinished(transaction, runs); });
}

std::vector<event_record> postgres_journal::read(const run_id& run) {
  return impl_->session.ask([&](pqxx::work& transaction) {
    array_literal ids;
    ids.id(run.value);
    std::vector<event_record> events;
    for (const auto& row : transaction.exec_prepared("read_events_of", ids.take()))
      if (const auto fault = read_event_into(events, row))
        throw journal_unreadable(*fault);
    return events;
  });
}

std::optional<row_outline> postgres_journal::find_row(const run_id& run) {
  return impl_->session.ask([&](pqxx::work& transaction) -> std::optional<row_outline> {
    const auto rows = transaction.exec_prepared("find_row", to_string(run));
    if (rows.empty())
      return std::nullopt;
    return read_row_outline(rows.front());
  });
}

std::vector<run_id>
postgres_journal::open_rows(const std::vector<shard_lease>& shards, const std::optional<run_id>& after, size_t limit) {
  array_literal wanted;
  array_literal epochs;
  for (const auto& [shard, epoch] : shards) {
    wanted.number(shard);
    epochs.number(epoch);
  }
  std::optional<std::string> after_text;
  if (after)
    after_text = to_string(*after);
  return impl_->session.ask([&](pqxx::work& transaction) {
    std::vector<run_id> runs;
    for (const auto& row : transaction.exec_prepared("find_open_rows", wanted.take(), epochs.take(), after_text, limit))
      runs.push_back(run_id{read_uuid(row[0])});
    return runs;
  });
}

void postgres_journal::write_stops(const std::vector<stop_change>& changes) {
  if (!changes.empty())
    impl_->session.ask([&](pqxx::work& transaction) { write_stop_changes(transaction, changes); });
}

journal_survey::page postgres_journal::survey(
  const std::vector<shard_lease>& shards, const std::optional<run_id>& before, size_t events_max) {
  return impl_->session.ask(
    [&](pqxx::work& transaction) { return read_survey(transaction, shards, before, events_max); });
}

std::vector<run_id> postgres_journal::contradicted(const std::vector<run_id>& runs) {
  return impl_->session.ask([&](pqxx::work& transaction) { return read_contradicted(transaction, runs); });
}

std::vector<uint64_t> postgres_journal::sizes(const std::vector<run_id>& runs, uint64_t bytes_max) {
  return impl_->session.ask([&](pqxx::work& transaction) { return read_sizes(transaction, runs, bytes_max); });
}

} // namespace levain
