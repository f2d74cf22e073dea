#include "persistence/schema_partitions.hpp"

#include <stdexcept>

#include "persistence/schema_session.hpp"
#include "persistence/uuid.hpp"

namespace levain {

namespace {

/// While these tables are locked no batch commits: rather try again another time than hold them up for long.
constexpr std::chrono::milliseconds partition_lock_timeout{5'000};

constexpr const char* partition_exists = "select to_regclass($1) is not null";

constexpr const char* find_partitions_before = R"(
  select c.relname, lower_bound, upper_bound
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid
  cross join lateral (
    select
      substring(pg_get_expr(c.relpartbound, c.oid) from 'FROM \(''([0-9a-f-]+)''\)')::uuid as lower_bound,
      substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([0-9a-f-]+)''\)')::uuid as upper_bound
  ) bounds
  where i.inhparent = 'run_events'::regclass
    and upper_bound <= $1::uuid
  order by lower_bound)";

constexpr const char* count_unfinished = R"(
  select count(*)
  from orchestration_runs
  where id >= $1::uuid
    and id < $2::uuid
    and status in ('pending', 'running'))";

constexpr const char* delete_start_keys = R"(
  delete from run_starts
  where run_id >= $1::uuid
    and run_id < $2::uuid)";

using days = std::chrono::sys_days;

days monday_of(timestamp at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  return day - (std::chrono::weekday(day) - std::chrono::Monday);
}

/// `run_events_20261123`: by the week's first day.
std::string partition_name(days monday) {
  const auto text = to_rfc3339(monday);
  return "run_events_" + text.substr(0, 4) + text.substr(5, 2) + text.substr(8, 2);
}

bool partition_is_there(pqxx::transaction_base& transaction, days monday) {
  return transaction.exec_params1(partition_exists, transaction.quote_name(partition_name(monday)))[0].as<bool>();
}

/// Names and bounds cannot be parameters of a definition: they are made here from a date and quoted all the same.
/// False when it is there already.
bool make_partition(pqxx::connection& connection, days monday) {
  {
    // Most are there, and then nothing is locked.
    pqxx::nontransaction session(connection, "partition_exists");
    if (partition_is_there(session, monday))
      return false;
  }
  pqxx::work transaction(connection, "make_partition");
  lock_schema(transaction);
  if (partition_is_there(transaction, monday))
    return false;
  const auto table = transaction.quote_name(partition_name(monday));
  const auto from = transaction.quote(to_string(lowest_id(monday)));
  const auto to = transaction.quote(to_string(lowest_id(monday + std::chrono::weeks(1))));
  // In the order in which writers lock them. Attaching would lock both anyway; now nothing slips in between the move
  // and it.
  transaction.exec("lock table only run_events in share update exclusive mode");
  transaction.exec("lock table run_events_default in access exclusive mode");
  transaction.exec("create table " + table + " (like run_events including all)");
  transaction.exec(
    "with moved as (delete from run_events_default where run_id >= " + from + " and run_id < " + to +
    " returning *) insert into " + table + " select * from moved");
  transaction.exec(
    "alter table run_events attach partition " + table + " for values from (" + from + ") to (" + to + ")");
  transaction.commit();
  return true;
}

struct partition {
  std::string name;
  std::string from;
  std::string to;
};

std::vector<partition> partitions_before(pqxx::connection& connection, timestamp before) {
  pqxx::work transaction(connection, "partitions_before");
  std::vector<partition> found;
  for (const auto& row : transaction.exec_params(find_partitions_before, to_string(lowest_id(before))))
    found.push_back({row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<std::string>()});
  return found;
}

/// How many unfinished runs saved the partition; 0 when it is gone.
int64_t drop_partition(pqxx::connection& connection, const partition& old) {
  pqxx::work transaction(connection, "drop_partition");
  lock_schema(transaction);
  if (!transaction.exec_params1(partition_exists, transaction.quote_name(old.name))[0].as<bool>())
    return 0;
  const auto table = transaction.quote_name(old.name);
  // Parent first, as writers do; a run that is being retried by hand writes here in the same transaction as its row.
  transaction.exec("lock table only run_events in access exclusive mode");
  transaction.exec("lock table " + table + " in access exclusive mode");
  const auto unfinished = transaction.exec_params1(count_unfinished, old.from, old.to)[0].as<int64_t>();
  if (unfinished > 0)
    return unfinished;
  transaction.exec("drop table " + table);
  transaction.exec_params(delete_start_keys, old.from, old.to);
  transaction.commit();
  return 0;
}

/// False when an event stands in it, or when it is gone.
bool drop_partition_if_empty(pqxx::connection& connection, const partition& old) {
  const auto table = connection.quote_name(old.name);
  const auto holds_nothing = [&](pqxx::transaction_base& transaction) {
    return transaction.exec_params1(partition_exists, table)[0].as<bool>() &&
           transaction.exec1("select not exists (select from " + table + ')')[0].as<bool>();
  };
  {
    // Most hold something, and then nothing is locked.
    pqxx::nontransaction session(connection, "partition_is_empty");
    if (!holds_nothing(session))
      return false;
  }
  pqxx::work transaction(connection, "drop_empty_partition");
  lock_schema(transaction);
  if (!transaction.exec_params1(partition_exists, table)[0].as<bool>())
    return false;
  transaction.exec("lock table only run_events in access exclusive mode");
  transaction.exec("lock table " + table + " in access exclusive mode");
  if (!holds_nothing(transaction))
    return false;
  transaction.exec("drop table " + table);
  transaction.commit();
  return true;
}

} // namespace

uuid lowest_id(timestamp at) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(at).time_since_epoch().count();
  uuid id;
  for (size_t i = 0; i < 6; ++i)
    id.bytes[i] = static_cast<uint8_t>(static_cast<uint64_t>(millis) >> (8 * (5 - i)));
  return id;
}

std::vector<std::string> ensure_partitions(const std::string& url, timestamp now, std::chrono::weeks ahead) {
  if (ahead < std::chrono::weeks(0) || ahead > partitions_ahead_max)
    throw std::invalid_argument(
      "partitions ahead: " + std::to_string(ahead.count()) + " weeks; must be 0 to " +
      std::to_string(partitions_ahead_max.count()));
  std::vector<std::string> made;
  in_schema_session(
    url, partition_lock_timeout,
    [&](pqxx::connection& connection) {
      const auto first = monday_of(now);
      for (auto monday = first; monday <= first + ahead; monday += std::chrono::weeks(1))
        if (make_partition(connection, monday))
          made.push_back(partition_name(monday));
    },
    upkeep_time_max);
  return made;
}

partition_drops drop_partitions_before(const std::string& url, timestamp before) {
  partition_drops drops;
  in_schema_session(url, partition_lock_timeout, [&](pqxx::connection& connection) {
    for (const auto& old : partitions_before(connection, before)) {
      const auto unfinished = drop_partition(connection, old);
      if (unfinished == 0)
        drops.dropped.push_back(old.name);
      else
        drops.refused.push_back(
          old.name + " stays: " + std::to_string(unfinished) + (unfinished == 1 ? " run in it is" : " runs in it are") +
          " not ended");
    }
  });
  return drops;
}

std::vector<std::string> drop_empty_partitions_before(const std::string& url, timestamp before) {
  std::vector<std::string> dropped;
  in_schema_session(url, partition_lock_timeout, [&](pqxx::connection& connection) {
    for (const auto& old : partitions_before(connection, before))
      if (drop_partition_if_empty(connection, old))
        dropped.push_back(old.name);
  });
  return dropped;
}

} // namespace levain
