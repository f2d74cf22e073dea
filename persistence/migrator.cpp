#include "persistence/migrator.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

#include <pqxx/pqxx>

#include "persistence/adoption.hpp"
#include "persistence/cluster_reading.hpp"
#include "persistence/database_health_statements.hpp"
#include "persistence/migrations.hpp"
#include "persistence/old_times.hpp"
#include "persistence/plain_line.hpp"
#include "persistence/schema_facts.hpp"
#include "persistence/schema_locks.hpp"
#include "persistence/schema_partitions.hpp"
#include "persistence/schema_session.hpp"
#include "persistence/sha256.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

constexpr const char* create_migrations_table = R"(
  create table if not exists levain_migrations (
    number integer not null,
    name text not null,
    -- SHA-256 of the file, in hex: a landed file that was edited is found out.
    checksum text not null,
    applied_at timestamptz not null default now(),
    -- True when the database had it from elsewhere and it was not applied.
    adopted boolean not null,
    program_version text not null,
    constraint levain_migrations_pkey primary key (number)
  ))";

constexpr const char* migrations_table_exists = "select to_regclass('levain_migrations') is not null";

constexpr const char* read_migrations = R"(
  select number, name, checksum, applied_at, adopted
  from levain_migrations
  order by number)";

constexpr const char* record_migration = R"(
  insert into levain_migrations (number, name, checksum, adopted, program_version)
  values ($1, $2, $3, $4, $5))";

constexpr const char* nodes_tell_their_schema = R"(
  select count(*) > 0
  from information_schema.columns
  where table_schema = current_schema()
    and table_name = 'nodes'
    and column_name = 'schema_version')";

const std::string read_nodes_that_know = R"(
  select name, version
  from nodes
  where schema_version >= $1
    and )" + is_alive() + R"(
  order by started_at, id)";

struct recorded_migration {
  int number = 0;
  std::string name;
  std::string checksum;
  timestamp applied_at{};
  bool adopted = false;
};

int number_of(const embedded_migration& migration) {
  return std::stoi(std::string(migration.name.substr(0, 3)));
}

std::string checksum_of(const embedded_migration& migration) {
  return sha256_hex(migration.sql);
}

std::vector<recorded_migration> read_recorded(pqxx::transaction_base& transaction) {
  std::vector<recorded_migration> recorded;
  if (!transaction.exec1(migrations_table_exists)[0].as<bool>())
    return recorded;
  for (const auto& row : transaction.exec(read_migrations)) {
    const auto applied_at = parse_timestamp(row["applied_at"].c_str());
    recorded.push_back(
      {row["number"].as<int>(), row["name"].as<std::string>(), row["checksum"].as<std::string>(),
       applied_at.value_or(timestamp{}), row["adopted"].as<bool>()});
  }
  return recorded;
}

std::vector<recorded_migration> read_recorded(pqxx::connection& connection) {
  pqxx::work transaction(connection, "read_migrations");
  return read_recorded(transaction);
}

bool is_recorded(const std::vector<recorded_migration>& recorded, const embedded_migration& migration) {
  return std::ranges::any_of(
    recorded, [&](const recorded_migration& record) { return record.number == number_of(migration); });
}

/// Who of the living nodes knows the schema up to this number, for a sentence; empty when nobody does.
std::string nodes_that_know(pqxx::connection& connection, int number) {
  pqxx::work transaction(connection, "nodes_that_know");
  std::string names;
  if (!transaction.exec1(nodes_tell_their_schema)[0].as<bool>())
    return names;
  for (const auto& row : transaction.exec_params(read_nodes_that_know, number))
    names += (names.empty() ? "'" : ", '") + row[0].as<std::string>() + "' (levain " + row[1].as<std::string>() + ')';
  return names;
}

/// What stands between the record and this program, a sentence each. `knowing` names the nodes that know all of it.
std::vector<std::string> objections(const std::vector<recorded_migration>& recorded, const std::string& knowing) {
  const auto& known = embedded_migrations();
  std::map<int, const embedded_migration*> by_number;
  for (const auto& migration : known)
    by_number[number_of(migration)] = &migration;
  std::vector<std::string> found;
  for (const auto& record : recorded) {
    const auto migration = by_number.find(record.number);
    if (migration == by_number.end())
      found.push_back(
        record.name +
        ": the database's schema is newer than this program (" LEVAIN_VERSION "), whose last migration is " +
        std::string(known.back().name) + "; use a program that knows it" +
        (knowing.empty() ? "" : ", as these living nodes do: " + knowing));
    else if (migration->second->name != record.name)
      found.push_back(
        record.name + ": this program knows number " + std::to_string(record.number) + " as " +
        std::string(migration->second->name) + "; use the program that made this database");
    else if (checksum_of(*migration->second) != record.checksum)
      found.push_back(
        record.name + ": the file was edited after it was applied (applied " + record.checksum.substr(0, 12) +
        ", this program has " + checksum_of(*migration->second).substr(0, 12) +
        "); put it back and write a new migration instead");
  }
  return found;
}

std::vector<std::string> objections(pqxx::connection& connection, const std::vector<recorded_migration>& recorded) {
  const auto newest = recorded.empty() ? 0 : recorded.back().number;
  return objections(recorded, newest > newest_migration() ? nodes_that_know(connection, newest) : "");
}

std::vector<embedded_migration> pending_after(const std::vector<recorded_migration>& recorded) {
  std::vector<embedded_migration> pending;
  for (const auto& migration : embedded_migrations())
    if (!is_recorded(recorded, migration))
      pending.push_back(migration);
  return pending;
}

void record(pqxx::transaction_base& transaction, const embedded_migration& migration, bool adopted) {
  transaction.exec(create_migrations_table);
  transaction.exec_params(
    record_migration, number_of(migration), std::string(migration.name), checksum_of(migration), adopted,
    LEVAIN_VERSION);
}

/// What a person can do about it; empty where the database's words are enough.
std::string advice_for(const std::string& sqlstate) {
  constexpr std::string_view taken[] = {"42P07", "42710", "42701", "42723"};
  if (std::find(std::begin(taken), std::end(taken), sqlstate) != std::end(taken))
    return "; another program's object has that name: rename it, or give Levain a schema of its own by search_path";
  if (sqlstate == "42501")
    return "; connect as the owner of the tables";
  return {};
}

void apply(pqxx::transaction_base& transaction, const embedded_migration& migration) {
  try {
    record(transaction, migration, false);
    transaction.exec(std::string(migration.sql));
  } catch (const pqxx::sql_error& error) {
    if (error.sqlstate() == lock_not_available)
      throw;
    throw migration_error(
      std::string(migration.name) + " cannot be applied, nothing of it was: " +
      plain_line(error.what(), reason_bytes_max) + advice_for(error.sqlstate()));
  }
}

/// Where nothing is adopted there are no times of others.
void expect_no_zone(const std::string& old_times_in) {
  if (!old_times_in.empty())
    throw migration_error(
      "--old-times-in is for a table of another program, and there is none to adopt here; nothing was changed");
}

/// Throws when the zone of the old times has to be said and is not, or is none.
void settle_old_times(pqxx::connection& connection, const std::string& old_times_in) {
  pqxx::work transaction(connection, "old_times");
  if (!old_times_in.empty())
    return expect_zone(transaction, old_times_in);
  if (const auto found = read_old_times(transaction); found.has_to_be_asked())
    ask_for_zone(found);
}

void adopt(
  pqxx::transaction_base& transaction, const embedded_migration& initial, const adoption_plan& plan,
  const std::string& old_times_in) {
  if (is_recorded(read_recorded(transaction), initial))
    throw migration_error("another program has migrated this database just now; try again");
  try {
    record(transaction, initial, true);
    // Before there are new columns and triggers.
    if (!old_times_in.empty())
      move_times_to_utc(transaction, read_old_times(transaction), old_times_in);
    for (const auto& each : plan.statements)
      transaction.exec(each);
  } catch (const pqxx::sql_error& error) {
    if (error.sqlstate() == lock_not_available)
      throw;
    throw migration_error(
      "orchestration_runs cannot be adopted, nothing was changed: " + plain_line(error.what(), reason_bytes_max) +
      advice_for(error.sqlstate()));
  }
}

} // namespace

int32_t newest_migration() {
  return number_of(embedded_migrations().back());
}

namespace {

/// Whoever may create there can put an operator or a function of theirs in the place of PostgreSQL's own.
std::optional<std::string> open_schema_notice(pqxx::connection& connection) {
  pqxx::work transaction(connection, "who_may_create");
  const std::string schema = transaction.exec1(open_schema_statement)[0].c_str();
  if (schema.empty())
    return std::nullopt;
  return "every role may create objects in the schema " + schema + ", and so run code of its own as this one: revoke " +
         "create on schema " + schema + " from public";
}

} // namespace

migration_report migrate_up(const std::string& url, bool dry_run, const std::string& old_times_in) {
  migration_report report;
  in_schema_session(url, schema_lock_timeout, [&](pqxx::connection& connection) {
    std::vector<recorded_migration> recorded;
    {
      pqxx::work transaction(connection, "read_migrations");
      current_schema(transaction);
      recorded = read_recorded(transaction);
      // What another starter has under way is waited for, and then found.
      if (!dry_run && !pending_after(recorded).empty()) {
        lock_schema(transaction);
        recorded = read_recorded(transaction);
      }
    }
    if (const auto found = objections(connection, recorded); !found.empty())
      throw migration_error(found.front());
    if (!recorded.empty())
      expect_no_zone(old_times_in);
    if (auto notice = open_schema_notice(connection))
      report.noticed.push_back(std::move(*notice));
    const auto pending = pending_after(recorded);
    if (pending.empty())
      return;
    // An adoption is all or nothing: the table is somebody's, who may go on with it as it was.
    adoption_plan plan;
    if (recorded.empty())
      plan = assess_adoption(connection, pending.front());
    if (plan.found)
      settle_old_times(connection, old_times_in);
    else
      expect_no_zone(old_times_in);
    const size_t first = plan.found ? 1 : 0;
    const auto change = [&](const std::function<void(pqxx::transaction_base&)>& work) {
      if (!dry_run)
        change_schema(connection, "orchestration_runs", lock_patience{}, work);
    };
    if (plan.found) {
      change([&](pqxx::transaction_base& transaction) {
        adopt(transaction, pending.front(), plan, old_times_in);
        for (size_t i = first; i < pending.size(); ++i)
          apply(transaction, pending[i]);
      });
      report.done.push_back(
        (dry_run ? "would adopt " : "adopted ") + std::string(pending.front().name) +
        ": orchestration_runs was there " + (plan.state == "complete" ? "and " : "") + plan.state);
      if (!old_times_in.empty() && old_times_in != "UTC")
        report.done.push_back(
          (dry_run ? "would move the times of its rows from " : "moved the times of its rows from ") + old_times_in +
          " to UTC");
    }
    for (size_t i = first; i < pending.size(); ++i) {
      // False when another starter has applied it meanwhile.
      bool applied = true;
      if (!plan.found)
        change([&](pqxx::transaction_base& transaction) {
          applied = !is_recorded(read_recorded(transaction), pending[i]);
          if (applied)
            apply(transaction, pending[i]);
        });
      if (applied)
        report.done.push_back((dry_run ? "would apply " : "applied ") + std::string(pending[i].name));
    }
  });
  report.up_to_date = report.done.empty();
  if (!dry_run)
    for (const auto& partition : ensure_partitions(url))
      report.done.push_back("made partition " + partition);
  return report;
}

void expect_known_schema(const std::string& url) {
  in_schema_session(url, schema_lock_timeout, [&](pqxx::connection& connection) {
    if (const auto found = objections(connection, read_recorded(connection)); !found.empty())
      throw migration_error(found.front());
  });
}

std::vector<migration_status> migration_statuses(const std::string& url) {
  std::vector<recorded_migration> recorded;
  in_schema_session(
    url, schema_lock_timeout, [&](pqxx::connection& connection) { recorded = read_recorded(connection); });
  using state = migration_status::state_type;
  std::map<int, migration_status> statuses;
  for (const auto& migration : embedded_migrations())
    statuses[number_of(migration)] = {std::string(migration.name), state::pending, {}, checksum_of(migration)};
  for (const auto& record : recorded) {
    auto& status = statuses[record.number];
    if (status.name != record.name)
      status.state = state::unknown;
    else if (status.checksum != record.checksum)
      status.state = state::edited;
    else
      status.state = record.adopted ? state::adopted : state::applied;
    status.name = record.name;
    status.checksum = record.checksum;
    status.applied_at = record.applied_at;
  }
  std::vector<migration_status> all;
  for (auto& [number, status] : statuses)
    all.push_back(std::move(status));
  return all;
}

std::vector<std::string> verify_schema(const std::string& url) {
  std::vector<std::string> differences;
  in_schema_session(url, schema_lock_timeout, [&](pqxx::connection& connection) {
    const auto recorded = read_recorded(connection);
    if (recorded.empty()) {
      const auto adoption = describe_adoption(connection, embedded_migrations().front());
      differences.push_back(
        "no migration of Levain is applied here; " +
        (adoption.empty() ? "levain migrate up makes the schema" : adoption));
      return;
    }
    differences = objections(connection, recorded);
    for (const auto& migration : pending_after(recorded))
      differences.push_back(std::string(migration.name) + ": not applied; run levain migrate up");
    std::vector<schema_fact> actual;
    {
      pqxx::work transaction(connection, "verify_schema");
      actual = read_schema_facts(transaction, current_schema(transaction));
    }
    for (auto& difference : schema_differences(expected_schema_facts(connection, embedded_migrations()), actual))
      differences.push_back(std::move(difference));
  });
  return differences;
}

} // namespace levain
