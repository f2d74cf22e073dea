#include "persistence/database_health.hpp"

#include <algorithm>

#include <pqxx/pqxx>

#include "persistence/answer_deadline.hpp"
#include "persistence/connection.hpp"
#include "persistence/database_health_statements.hpp"
#include "persistence/event_columns.hpp"
#include "persistence/journal.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

/// A page on health that takes longer is news in itself.
constexpr std::chrono::milliseconds statement_timeout{10'000};

/// Spans that no clock measures are cut: others may have written anything.
duration read_duration(const pqxx::field& micros) {
  constexpr double most = 1e17;
  return duration(static_cast<int64_t>(std::clamp(micros.as<double>(), -most, most)));
}

std::optional<timestamp> read_optional_time(const pqxx::field& field) {
  return field.is_null() ? std::nullopt : std::optional(read_timestamp(field));
}

std::vector<std::string> read_names(const pqxx::result& result) {
  std::vector<std::string> names;
  for (const auto& row : result)
    names.emplace_back(row[0].c_str());
  return names;
}

server_health read_server(pqxx::transaction_base& ask, clock_reading& clock, const std::function<timestamp()>& now) {
  const auto before = now();
  const auto row = ask.exec1(server_health_statement);
  const auto after = now();
  server_health server;
  server.version = row[0].c_str();
  server.now = read_timestamp(row[1]);
  server.started_at = read_timestamp(row[2]);
  server.in_recovery = row[3].as<bool>();
  server.fsync = row[4].as<bool>();
  server.full_page_writes = row[5].as<bool>();
  server.autovacuum = row[6].as<bool>();
  server.synchronous_commit = row[7].c_str();
  server.transaction_ids_used = row[8].as<int64_t>();
  clock = {before + (after - before) / 2, server.now, after - before};
  return server;
}

connection_health read_connections(pqxx::transaction_base& ask) {
  connection_health connections;
  connections.connections_max = ask.exec1(connection_limit_statement)[0].as<int64_t>();
  for (const auto& row : ask.exec(connections_statement)) {
    connections.by_application[row[0].c_str()] = row[1].as<int64_t>();
    connections.connections_used += row[1].as<int64_t>();
  }
  return connections;
}

std::optional<run_since> read_oldest(pqxx::transaction_base& ask, const char* status) {
  const auto found = ask.exec_params(oldest_run_statement, status);
  if (found.empty())
    return std::nullopt;
  return run_since{found[0][0].c_str(), read_timestamp(found[0][1])};
}

run_health read_runs(pqxx::transaction_base& ask) {
  run_health runs;
  const auto count = [&](const char* status) {
    return ask.exec_params1(count_runs_statement, status, runs_counted_max)[0].as<int64_t>();
  };
  runs.pending = count("pending");
  runs.running = count("running");
  for (const auto& row : ask.exec(ended_runs_statement))
    runs.ended_about[row[0].c_str()] = row[1].as<int64_t>();
  runs.oldest_pending = read_oldest(ask, "pending");
  runs.oldest_running = read_oldest(ask, "running");
  runs.attention = ask.exec_params1(count_attention_statement, runs_counted_max)[0].as<int64_t>();
  for (const auto& row : ask.exec_params(attention_first_statement, runs_named_max))
    runs.attention_first.push_back({row[0].c_str(), row[1].c_str()});
  for (const auto& row : ask.exec(count_stopped_statement))
    if (const auto kind = parse_stop_kind(row[0].c_str()))
      runs.stopped[*kind] = row[1].as<int64_t>();
  for (const auto& row : ask.exec_params(stopped_first_statement, runs_named_max))
    runs.stopped_first.push_back({row[0].c_str(), row[1].c_str()});
  const auto unreadable = ask.exec_params(unreadable_rows_statement, unreadable_counted_max, unreadable_looked_at_max);
  runs.unreadable = std::min<int64_t>(unreadable.size(), unreadable_counted_max);
  for (const auto& row : unreadable)
    if (runs.unreadable_first.size() < static_cast<size_t>(runs_named_max))
      runs.unreadable_first.emplace_back(row[0].c_str());
  runs.adopted_open = ask.exec_params1(count_adopted_open_statement, runs_counted_max)[0].as<int64_t>();
  runs.times_ahead = std::min(
    ask.exec_params1(count_times_ahead_statement, time_ahead_max.count(), runs_counted_max)[0].as<int64_t>(),
    runs_counted_max);
  runs.contradicted = read_names(ask.exec_params(contradicted_rows_statement, contradicted_events_max));
  return runs;
}

std::vector<node_health> read_nodes(pqxx::transaction_base& ask) {
  std::vector<node_health> nodes;
  for (const auto& row : ask.exec(nodes_statement))
    nodes.push_back(
      {read_uuid(row[0]), row[1].c_str(), row[2].c_str(), row[3].c_str(), read_duration(row[4]), row[5].as<bool>(),
       row[6].as<int64_t>()});
  return nodes;
}

std::vector<table_health> read_tables(pqxx::transaction_base& ask) {
  std::vector<table_health> tables;
  for (const auto& row : ask.exec(tables_statement))
    tables.push_back(
      {row[0].c_str(), row[1].as<int64_t>(), row[2].as<int64_t>(), row[3].as<int64_t>(), read_optional_time(row[4]),
       read_optional_time(row[5])});
  return tables;
}

/// The moment in the first 48 bits of an id that bounds a partition.
timestamp time_of_bound(const uuid& id) {
  uint64_t millis = 0;
  for (size_t i = 0; i < 6; ++i)
    millis = millis << 8 | id.bytes[i];
  return timestamp(std::chrono::milliseconds(millis));
}

partition_health read_partitions(pqxx::transaction_base& ask, timestamp now) {
  partition_health partitions;
  for (const auto& row : ask.exec(partitions_statement)) {
    if (row[0].is_null() || row[1].is_null())
      continue;
    const auto from = time_of_bound(read_uuid(row[0]));
    const auto upto = time_of_bound(read_uuid(row[1]));
    ++partitions.count;
    if (!partitions.oldest_from)
      partitions.oldest_from = from;
    const bool goes_on = partitions.covered_until ? from <= *partitions.covered_until : from <= now && now < upto;
    if (goes_on)
      partitions.covered_until = upto;
  }
  partitions.default_is_used = ask.exec1(default_partition_statement)[0].as<bool>();
  return partitions;
}

/// Without the schema's tables only the server is looked at.
database_health read_health(
  pqxx::transaction_base& transaction, std::vector<migration_status> migrations,
  const std::function<timestamp()>& now) {
  database_health health;
  health.server = read_server(transaction, health.clock, now);
  health.connections = read_connections(transaction);
  health.migrations = std::move(migrations);
  health.has_schema = std::none_of(health.migrations.begin(), health.migrations.end(), [](const auto& each) {
    return each.state == migration_status::state_type::pending;
  });
  for (const auto& row : transaction.exec_params(open_transactions_statement, runs_named_max))
    health.open_transactions.push_back({row[0].c_str(), row[1].c_str(), row[2].c_str(), read_duration(row[3])});
  for (const auto& row : transaction.exec(replication_slots_statement))
    health.replication_slots.push_back({row[0].c_str(), row[1].as<bool>(), row[2].as<int64_t>(), row[3].as<int64_t>()});
  if (!health.has_schema)
    return health;
  health.runs = read_runs(transaction);
  health.nodes = read_nodes(transaction);
  const auto shards = transaction.exec1(shards_statement);
  health.shards = {shards[0].as<int64_t>(), shards[1].as<int64_t>()};
  health.tables = read_tables(transaction);
  health.partitions = read_partitions(transaction, health.server.now);
  health.unlogged_tables = read_names(transaction.exec(unlogged_tables_statement));
  health.invalid_indexes = read_names(transaction.exec(invalid_indexes_statement));
  health.schema_open_to_all = transaction.exec1(open_schema_statement)[0].c_str();
  health.role = transaction.exec1("select current_user")[0].c_str();
  health.rights_missing = read_names(transaction.exec(missing_rights_statement));
  health.definitions_unreadable = read_names(transaction.exec_params(unreadable_definitions_statement, runs_named_max));
  return health;
}

} // namespace

database_health read_database_health(
  const std::string& url, const std::string& application_name, const std::function<timestamp()>& now) {
  try {
    connection_options wanted;
    wanted.url = url;
    wanted.application_name = application_name;
    wanted.statement_timeout = statement_timeout;
    const auto connection = open_connection(wanted);
    auto migrations = migration_statuses(url);
    // For the whole page: a server that falls silent is news as well.
    answer_deadline deadline;
    const answer_time waiting(deadline, connection->sock(), answer_timeout(wanted));
    pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> transaction(*connection, "health");
    return read_health(transaction, std::move(migrations), now);
  } catch (const migration_error& refused) {
    throw journal_unavailable(refused.what());
  } catch (const pqxx::pqxx_exception&) {
    throw journal_unavailable(classify_failure(std::current_exception()).reason);
  } catch (const unreadable_column&) {
    throw journal_unavailable(classify_failure(std::current_exception()).reason);
  }
}

} // namespace levain
