#include "persistence/queries.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include "persistence/answer_deadline.hpp"
#include "persistence/array_literal.hpp"
#include "persistence/audit_columns.hpp"
#include "persistence/cluster_reading.hpp"
#include "persistence/connection.hpp"
#include "persistence/event_columns.hpp"
#include "persistence/journal.hpp"
#include "persistence/list_cursor.hpp"
#include "persistence/named_values.hpp"
#include "persistence/queries_statements.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

/// A statement's parameters in their text form; nothing is null.
class parameters {
public:
  parameters& add(const uuid& id) { return text(to_string(id)); }
  parameters& add(timestamp at) { return text(to_rfc3339(at)); }
  parameters& add(size_t number) { return text(std::to_string(number)); }
  parameters& text(std::string value) {
    values_.emplace_back(std::move(value));
    return *this;
  }
  parameters& null() {
    values_.emplace_back();
    return *this;
  }
  template <class Value>
  parameters& add(const std::optional<Value>& value) {
    return value ? add(*value) : null();
  }
  parameters& add(const std::string& value) { return text(value); }
  parameters& add(const run_id& run) { return add(run.value); }
  parameters& add(const tenant_id& tenant) { return add(tenant.value); }
  parameters& add(const read_scope& scope) {
    const auto* tenant = std::get_if<tenant_id>(&scope);
    return tenant != nullptr ? add(*tenant) : null();
  }

  std::vector<const char*> values() const {
    std::vector<const char*> pointers;
    for (const auto& value : values_)
      pointers.push_back(value ? value->c_str() : nullptr);
    return pointers;
  }

private:
  std::vector<std::optional<std::string>> values_;
};

template <class... Values>
parameters parameters_from(const Values&... values) {
  parameters all;
  (all.add(values), ...);
  return all;
}

pqxx::result ask(pqxx::transaction_base& transaction, const queries_statement& statement, const parameters& given) {
  const auto values = given.values();
  answer_deadline::restart(transaction);
  return transaction.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(values));
}

unreadable_row describe(const audit_row& row, const damaged_column& first) {
  return {row.id, row.run_number, first.name, first.message};
}

/// After the row's own columns and `stopped`, lists select these.
const auto activity_column = static_cast<int>(audit_column_count()) + 1;
const auto cursor_column = activity_column + 1;

void read_into(run_list& list, const pqxx::row& row) {
  listed_run read;
  if (const auto unreadable = read_audit_row(row, read); unreadable.empty()) {
    if (!row[activity_column].is_null())
      read.activity = parse_run_activity(row[activity_column].c_str());
    list.runs.push_back(std::move(read));
  } else {
    list.unreadable.push_back(describe(read, unreadable.front()));
  }
}

run_list read_rows(const pqxx::result& result) {
  run_list list;
  list.runs.reserve(static_cast<size_t>(result.size()));
  for (const auto& row : result)
    read_into(list, row);
  return list;
}

std::optional<audit_row> read_row(const pqxx::result& result) {
  if (result.empty())
    return std::nullopt;
  audit_row read;
  if (const auto unreadable = read_audit_row(result[0], read); !unreadable.empty()) {
    auto why = describe(read, unreadable.front());
    throw row_unreadable(std::move(read), std::move(why));
  }
  return read;
}

/// An array of their names; nothing where there are none.
template <class Value>
std::optional<std::string> names_of(const std::vector<Value>& values) {
  if (values.empty())
    return std::nullopt;
  array_literal names;
  for (const auto value : values)
    names.plain(to_string(value));
  return names.take();
}

void check_limit(size_t limit) {
  if (limit < 1 || limit > rows_per_answer_max)
    throw std::invalid_argument(
      "limit: " + std::to_string(limit) + "; must be 1 to " + std::to_string(rows_per_answer_max));
}

/// Texts with a zero byte are no texts to the database, and would be cut off silently on the way there.
void check_text(const char* name, const std::string& text) {
  if (text.find('\0') != std::string::npos)
    throw std::invalid_argument(std::string(name) + ": must not contain a zero byte");
}

std::string cursor_of_row(const pqxx::row& row) {
  return cursor_after(row[cursor_column].c_str(), run_id{read_uuid(row[0])});
}

/// `row` is of `verify_rows_statement`, whose first columns are id and run number.
remembered_run read_remembered_row(const pqxx::row& row) {
  remembered_run run;
  const auto unreadable = read_audit_row(row, run.row);
  if (unreadable.empty())
    return run;
  run.unreadable.push_back({"row", "the row cannot be read: " + unreadable.front().message});
  audit_row known;
  known.id = run.row.id;
  known.run_number = run.row.run_number;
  run.row = std::move(known);
  return run;
}

/// `row` is of `verify_events_statement`. Nothing more is taken once an event could not be read.
void read_remembered_event(const pqxx::row& row, remembered_run& to) {
  if (!to.unreadable.empty() && to.unreadable.back().place == "journal")
    return;
  try {
    to.events.push_back(read_event(row, 1));
  } catch (const std::exception& damage) {
    to.unreadable.push_back({"journal", std::string("event ") + row[1].c_str() + " cannot be read: " + damage.what()});
  }
}

} // namespace

struct queries::impl {
  explicit impl(queries_options given)
    : options(std::move(given)) {}

  pqxx::connection& open() {
    if (connection && !connection->is_open())
      connection.reset();
    if (connection)
      return *connection;
    const auto now = std::chrono::steady_clock::now();
    if (now < closed_until)
      throw journal_unavailable(last_failure);
    try {
      wanted.url = options.url;
      wanted.application_name = options.application_name;
      wanted.statement_timeout = options.statement_timeout;
      wanted.answer_margin = options.answer_margin;
      auto opened = open_connection(wanted);
      const answer_time waiting(deadline, opened->sock(), answer_timeout(wanted));
      {
        pqxx::nontransaction session(*opened, "set_up");
        session.exec("set plan_cache_mode = force_custom_plan");
      }
      for (const auto& statement : queries_statements())
        opened->prepare(statement.name, statement.sql);
      connection = std::move(opened);
    } catch (const pqxx::pqxx_exception&) {
      last_failure = classify_failure(std::current_exception()).reason;
      closed_until = now + options.reconnect_pause;
      throw journal_unavailable(last_failure);
    }
    return *connection;
  }

  /// Runs `work` in a transaction that only reads and sees one moment.
  template <class Work>
  auto in_one_moment(Work&& work) {
    if (closed)
      throw journal_unavailable("reads have ended because the program is ending");
    // A connection that was kept may be dead since long before this question; one that was just made tells the truth.
    bool kept = connection != nullptr;
    for (;; kept = false) {
      auto& session = open();
      try {
        const answer_time waiting(deadline, session.sock(), answer_timeout(wanted));
        pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> transaction(session, "read");
        return work(transaction);
      } catch (const pqxx::pqxx_exception&) {
        if (!lost_kept_connection(std::current_exception(), kept))
          refuse(std::current_exception());
      }
    }
  }

  /// Forgets a connection that is lost. True when asking again over a new one may help.
  bool lost_kept_connection(const std::exception_ptr& error, bool kept) {
    if (!classify_failure(error).connection_lost)
      return false;
    connection.reset();
    return kept && !closed;
  }

  [[noreturn]] static void refuse(const std::exception_ptr& error) {
    const auto failure = classify_failure(error);
    if (failure.kind == failure_kind::bad_rows)
      throw std::invalid_argument(failure.reason);
    throw journal_unavailable(failure.reason);
  }

  pqxx::result answer(const queries_statement& statement, const parameters& given) {
    return in_one_moment([&](auto& transaction) { return ask(transaction, statement, given); });
  }

  /// A page of `limit` rows. `given` asks for one row more, which tells whether another page follows, and is checked
  /// but for the time of the cursor.
  run_page
  answer_page(const queries_statement& statement, const parameters& given, size_t limit, const std::string& cursor) {
    pqxx::result rows;
    try {
      rows = answer(statement, given);
    } catch (const std::invalid_argument&) {
      // Only the database can say that the cursor's time is none.
      if (!cursor.empty())
        refuse_cursor(cursor);
      throw;
    }
    run_page page;
    for (auto row = rows.begin(); row != rows.end() && page.size() < limit; ++row)
      read_into(page, *row);
    if (page.size() < static_cast<size_t>(rows.size()))
      page.next = cursor_of_row(rows[static_cast<int>(page.size()) - 1]);
    return page;
  }

  /// How many bytes the first of the runs have, until together they have `bytes_max`.
  std::vector<uint64_t> measure(const array_literal& ids, uint64_t bytes_max) {
    auto literal = ids;
    parameters given;
    given.text(literal.take()).add(static_cast<size_t>(bytes_max));
    std::vector<uint64_t> sizes;
    for (const auto& row : answer(measure_runs_statement(), given))
      sizes.push_back(row[0].as<uint64_t>());
    return sizes;
  }

  /// The first runs of `scope` in `range`: see `queries::verify_batch`.
  std::vector<remembered_run> remembered(
    const verify_scope& scope, const run_range& range, std::optional<size_t> limit, uint64_t bytes_max,
    uint64_t run_bytes_max) {
    const auto listed = answer(
      verify_ids_statement(), parameters_from(scope.scope, scope.run, scope.since, range.after, range.upto, limit));
    if (listed.empty())
      return {};
    array_literal ids;
    for (const auto& row : listed)
      ids.id(read_uuid(row[0]));
    array_literal first;
    first.id(read_uuid(listed[0][0]));
    const auto alone_and = [&](const std::string& why) {
      remembered_run run;
      run.row.id = {read_uuid(listed[0][0])};
      run.row.run_number = listed[0][1].c_str();
      run.unreadable.push_back({"journal", why});
      return std::vector<remembered_run>{std::move(run)};
    };
    std::vector<uint64_t> sizes;
    try {
      sizes = measure(ids, bytes_max);
    } catch (const std::invalid_argument&) {
      // One of them cannot be written out by the server; whether it is the first is seen when that is alone.
      try {
        sizes = measure(first, bytes_max);
      } catch (const std::invalid_argument& unwritable) {
        return alone_and(std::string("the database cannot write the run out: ") + unwritable.what());
      }
    }
    if (sizes.empty())
      return {};
    if (sizes.front() > run_bytes_max)
      return alone_and(
        "the run has " + std::to_string(sizes.front()) + " bytes; at most " + std::to_string(run_bytes_max) +
        " are read (verify_run_bytes_max)");
    if (sizes.size() > 1 && sizes.back() > run_bytes_max)
      sizes.pop_back(); // It comes first in the next batch.
    const run_id last{read_uuid(listed[static_cast<int>(sizes.size()) - 1][0])};
    return read_whole(parameters_from(scope.scope, scope.run, scope.since, range.after, std::optional(last)).null());
  }

  /// `wanted` is what `verify_rows_statement` takes.
  std::vector<remembered_run> read_whole(const parameters& wanted) {
    return in_one_moment([&](auto& transaction) {
      std::vector<remembered_run> runs;
      array_literal ids;
      for (const auto& row : ask(transaction, verify_rows_statement(), wanted)) {
        runs.push_back(read_remembered_row(row));
        ids.id(runs.back().row.id.value);
      }
      // Both are in the order of the ids.
      auto run = runs.begin();
      for (const auto& row : ask(transaction, verify_events_statement(), parameters().text(ids.take()))) {
        const run_id id{read_uuid(row[0])};
        while (run->row.id != id)
          ++run;
        read_remembered_event(row, *run);
      }
      return runs;
    });
  }

  const queries_options options;
  connection_options wanted;
  std::unique_ptr<pqxx::connection> connection;
  answer_deadline deadline;
  std::chrono::steady_clock::time_point closed_until{};
  std::string last_failure;
  std::atomic<bool> closed = false;
};

queries::queries(queries_options options)
  : impl_(std::make_unique<impl>(std::move(options))) {}

queries::~queries() = default;

void queries::close() {
  impl_->closed = true;
}

std::optional<shard_owner> queries::find_owner(shard_number shard) {
  const auto rows = impl_->answer(find_owner_statement(), parameters_from(static_cast<size_t>(shard)));
  if (rows.empty())
    return std::nullopt;
  return shard_owner{read_uuid(rows[0][0]), rows[0][1].c_str(), rows[0][2].c_str(), rows[0][3].as<bool>()};
}

cluster_view queries::view_cluster() {
  return cluster_from(impl_->answer(view_cluster_statement(), parameters()));
}

void queries::ping() {
  impl_->in_one_moment([](auto& transaction) { transaction.exec("select"); });
}

row_unreadable::row_unreadable(audit_row readable, unreadable_row why)
  : std::runtime_error("the row of run " + why.run_number + " cannot be read: " + why.message)
  , row_(std::move(readable))
  , why_(std::move(why)) {}

run_list queries::active_runs(const tenant_id& tenant, size_t limit) {
  check_limit(limit);
  return read_rows(impl_->answer(active_runs_statement(), parameters_from(tenant, limit)));
}

run_list queries::run_history(const tenant_id& tenant, timestamp from, timestamp to, size_t limit) {
  check_limit(limit);
  return read_rows(impl_->answer(run_history_statement(), parameters_from(tenant, from, to, limit)));
}

metrics_averages queries::metrics_summary(const tenant_id& tenant, timestamp since) {
  const auto row = impl_->answer(metrics_summary_statement(), parameters_from(tenant, since))[0];
  const auto average = [&](int column) {
    return row[column].is_null() ? std::optional<double>() : row[column].as<double>();
  };
  return {row[0].as<int64_t>(), average(1), average(2), average(3), average(4), average(5)};
}

run_page queries::runs_needing_attention(const attention_filter& filter) {
  check_limit(filter.limit);
  check_text("run_type", filter.run_type.value_or(""));
  const auto place = read_cursor(filter.cursor);
  return impl_->answer_page(
    runs_needing_attention_statement(),
    parameters_from(filter.scope, filter.limit + 1, filter.run_type, place.at, place.id), filter.limit, filter.cursor);
}

std::optional<audit_row> queries::find_run(const read_scope& scope, const run_id& run) {
  return read_row(impl_->answer(find_run_statement(), parameters_from(scope, run)));
}

std::optional<audit_row> queries::find_run_by_number(const read_scope& scope, const std::string& run_number) {
  check_text("run_number", run_number);
  return read_row(impl_->answer(find_run_by_number_statement(), parameters_from(scope, run_number)));
}

bool queries::has_run(const operator_scope& /*scope*/, const run_id& run) {
  return impl_->answer(has_run_statement(), parameters_from(run)).front()[0].as<bool>();
}

run_page queries::list_runs(const run_filter& filter) {
  check_limit(filter.limit);
  check_text("run_type", filter.run_type.value_or(""));
  check_text("workflow", filter.workflow.value_or(""));
  const auto place = read_cursor(filter.cursor);
  return impl_->answer_page(
    list_runs_statement(),
    parameters_from(
      filter.scope, names_of(filter.statuses), filter.run_type, filter.workflow, filter.started_from,
      filter.started_before, place.at, place.id, filter.limit + 1, names_of(filter.activities)),
    filter.limit, filter.cursor);
}

std::vector<event_record> queries::read_events(const run_id& run) {
  std::vector<event_record> events;
  for (const auto& row : impl_->answer(read_events_statement(), parameters_from(run)))
    events.push_back(read_event(row, 0));
  return events;
}

uint64_t queries::estimated_runs(const verify_scope& scope) {
  const auto given = parameters_from(scope.scope, scope.run, scope.since).null().null();
  const auto plan = impl_->in_one_moment([&](auto& transaction) {
    const auto values = given.values();
    return transaction.exec_params1(estimated_runs_statement().sql, pqxx::prepare::make_dynamic_params(values))[0]
      .template as<std::string>();
  });
  const auto rows = nlohmann::json::parse(plan).at(0).at("Plan").at("Plan Rows").get<double>();
  return rows > 0 ? static_cast<uint64_t>(rows) : 0;
}

std::vector<run_id> queries::verify_ids(const verify_scope& scope, const std::optional<run_id>& after, size_t limit) {
  check_limit(limit);
  auto wanted = parameters_from(scope.scope, scope.run, scope.since, after).null().add(limit);
  std::vector<run_id> ids;
  for (const auto& row : impl_->answer(verify_ids_statement(), wanted))
    ids.push_back({read_uuid(row[0])});
  return ids;
}

std::vector<remembered_run>
queries::verify_batch(const verify_scope& scope, const run_range& range, uint64_t bytes_max, uint64_t run_bytes_max) {
  return impl_->remembered(scope, range, std::nullopt, bytes_max, run_bytes_max);
}

std::vector<remembered_run>
queries::next_verify_batch(const verify_scope& scope, const std::optional<run_id>& after, size_t limit) {
  check_limit(limit);
  return impl_->remembered(scope, {after, {}}, limit, verify_batch_bytes_max, verify_run_bytes_max);
}

std::vector<run_id> queries::events_without_row(operator_scope /*scope*/, const run_range& range, size_t limit) {
  check_limit(limit);
  std::vector<run_id> runs;
  for (const auto& row : impl_->answer(events_without_row_statement(), parameters_from(range.after, range.upto, limit)))
    runs.push_back({read_uuid(row[0])});
  return runs;
}

std::vector<listed_definition> queries::list_definitions(const std::optional<definition_place>& after, size_t limit) {
  check_limit(limit);
  const auto place = after.value_or(definition_place{});
  check_text("after", place.name);
  auto wanted = parameters_from(place.name, static_cast<size_t>(place.version), limit);
  std::vector<listed_definition> listed;
  for (const auto& row : impl_->answer(list_definitions_statement(), wanted))
    listed.push_back(
      {row[0].c_str(), row[1].as<int32_t>(), row[2].c_str(),
       row[3].is_null() ? std::nullopt : std::optional(read_timestamp(row[3]))});
  return listed;
}

database_health queries::health() const {
  return read_database_health(impl_->options.url);
}

} // namespace levain
