#include "persistence/schema_analytics.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <thread>

#include "persistence/migrator.hpp"
#include "persistence/schema_session.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

constexpr const char* refresh_daily = "refresh materialized view concurrently orchestration_daily";

constexpr const char* index_is_valid = R"(
  select coalesce((select indisvalid from pg_index where indexrelid = to_regclass($1)), false))";

constexpr const char* find_index = R"(
  select indisvalid and indisready, pg_relation_size(indexrelid)
  from pg_index
  where indexrelid = to_regclass($1))";

struct json_index_sql {
  const char* name;
  const char* column;
  const char* drop;
  const char* create;
};

// `jsonb_path_ops`: containment, which is what is asked of them, at half the size.
constexpr std::array<json_index_sql, 3> json_indexes = {{
  {"ix_orchestration_runs_forecast_data", "forecast_data",
   "drop index concurrently if exists ix_orchestration_runs_forecast_data",
   "create index concurrently ix_orchestration_runs_forecast_data on orchestration_runs using gin (forecast_data "
   "jsonb_path_ops)"},
  {"ix_orchestration_runs_run_metadata", "run_metadata",
   "drop index concurrently if exists ix_orchestration_runs_run_metadata",
   "create index concurrently ix_orchestration_runs_run_metadata on orchestration_runs using gin (run_metadata "
   "jsonb_path_ops)"},
  {"ix_orchestration_runs_error_details", "error_details",
   "drop index concurrently if exists ix_orchestration_runs_error_details",
   "create index concurrently ix_orchestration_runs_error_details on orchestration_runs using gin (error_details "
   "jsonb_path_ops)"},
}};

// To lock it so takes the right to change it, and is in the way of nothing but its vacuum.
constexpr const char* take_turn = "lock table workflow_definitions in share update exclusive mode nowait";
constexpr std::chrono::milliseconds turn_interval{100};

bool takes_turn(pqxx::work& turn) {
  try {
    turn.exec(take_turn);
    return true;
  } catch (const pqxx::sql_error& error) {
    if (error.sqlstate() != lock_not_available)
      throw;
    return false;
  }
}

/// Two programs that made the same index beside each other would each drop the other's: one at a time does `work`. A
/// session of its own holds the turn, because an index is made beside writers only outside of transactions. Who waits
/// has no transaction meanwhile: the index would wait for that in turn.
void in_turn(const std::string& url, const std::function<void(pqxx::connection&)>& work) {
  in_schema_session(url, schema_lock_timeout, [&](pqxx::connection& holder) {
    const auto until = std::chrono::steady_clock::now() + schema_lock_timeout;
    while (std::chrono::steady_clock::now() < until) {
      pqxx::work turn(holder, "turn");
      if (takes_turn(turn))
        return in_schema_session(url, schema_lock_timeout, work);
      turn.abort();
      std::this_thread::sleep_for(turn_interval);
    }
    throw migration_error("another program makes or drops these indexes; wait until it has ended");
  });
}

} // namespace

void refresh_analytics(const std::string& url) {
  in_schema_session(
    url, schema_lock_timeout,
    [](pqxx::connection& connection) {
      pqxx::nontransaction session(connection, "refresh_analytics");
      session.exec(refresh_daily);
    },
    upkeep_time_max);
}

std::vector<json_index> list_json_indexes(const std::string& url) {
  std::vector<json_index> all;
  in_schema_session(url, schema_lock_timeout, [&](pqxx::connection& connection) {
    pqxx::nontransaction session(connection, "list_json_indexes");
    for (const auto& index : json_indexes) {
      json_index found{index.name, index.column};
      for (const auto& row : session.exec_params(find_index, index.name)) {
        found.state = row[0].as<bool>() ? json_index::state_type::present : json_index::state_type::invalid;
        found.bytes = row[1].as<int64_t>();
      }
      all.push_back(std::move(found));
    }
  });
  return all;
}

std::vector<std::string> create_json_indexes(const std::string& url) {
  std::vector<std::string> made;
  in_turn(url, [&](pqxx::connection& connection) {
    for (const auto& index : json_indexes) {
      // Outside of a transaction: the server makes an index beside writers only there.
      pqxx::nontransaction session(connection, "create_json_index");
      if (session.exec_params1(index_is_valid, index.name)[0].as<bool>())
        continue;
      session.exec(index.drop);
      session.exec(index.create);
      made.emplace_back(index.name);
    }
  });
  return made;
}

std::vector<std::string> drop_json_indexes(const std::string& url) {
  std::vector<std::string> dropped;
  in_turn(url, [&](pqxx::connection& connection) {
    for (const auto& index : json_indexes) {
      pqxx::nontransaction session(connection, "drop_json_index");
      if (session.exec_params(find_index, index.name).empty())
        continue;
      session.exec(index.drop);
      dropped.emplace_back(index.name);
    }
  });
  return dropped;
}

} // namespace levain
