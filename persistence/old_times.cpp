#include "persistence/old_times.hpp"

#include "persistence/migrator.hpp"
#include "persistence/plain_line.hpp"

namespace levain {

namespace {

constexpr const char* any_row = "select exists (select from orchestration_runs)";

constexpr const char* find_columns = R"(
  select attname
  from pg_attribute
  where attrelid = 'orchestration_runs'::regclass
    and atttypid = 'timestamp'::regtype
    and attname in (
      'started_at', 'completed_at', 'created_at', 'updated_at',
      'forecasting_started_at', 'forecasting_completed_at',
      'production_started_at', 'production_completed_at',
      'procurement_started_at', 'procurement_completed_at',
      'notification_started_at', 'notification_completed_at',
      'ai_insights_started_at', 'ai_insights_completed_at')
  order by attnum)";

// `reset_val` is what this session began with: it has set its own.
constexpr const char* find_zones = R"(
  select zone
  from (
    select reset_val as zone
    from pg_settings
    where name = 'TimeZone'
    union
    select substring(each from position('=' in each) + 1)
    from pg_db_role_setting
    cross join lateral unnest(setconfig) as each
    where setdatabase in (0, (select oid from pg_database where datname = current_database()))
      and lower(split_part(each, '=', 1)) = 'timezone'
  ) as found
  where lower(regexp_replace(zone, '^etc/', '', 'i')) not in (
    'utc', 'gmt', 'uct', 'zulu', 'universal', 'greenwich', 'gmt0', 'gmt+0', 'gmt-0')
  order by zone)";

constexpr const char* zone_is_known = R"(
  select exists (select from pg_timezone_names where name = $1) and ($1 = 'UTC' or $1 like '%/%'))";

} // namespace

old_times read_old_times(pqxx::transaction_base& transaction) {
  old_times found;
  found.has_rows = transaction.exec1(any_row)[0].as<bool>();
  for (const auto& row : transaction.exec(find_columns))
    found.columns.emplace_back(row[0].c_str());
  for (const auto& row : transaction.exec(find_zones))
    found.zones.emplace_back(row[0].c_str());
  return found;
}

void ask_for_zone(const old_times& found) {
  std::string zones;
  for (const auto& each : found.zones)
    zones += (zones.empty() ? "" : " or ") + each;
  throw migration_error(
    "orchestration_runs has rows whose times say no zone, and sessions of this database write times of " + zones +
    " unless they say otherwise; Levain reads them as UTC. Nothing was changed. Say in which zone they were written: "
    "levain migrate up --old-times-in " +
    found.zones.front() + " moves them to UTC, --old-times-in UTC leaves them as they are");
}

void expect_zone(pqxx::transaction_base& transaction, const std::string& zone) {
  if (zone.find('\0') == std::string::npos && transaction.exec_params1(zone_is_known, zone)[0].as<bool>())
    return;
  throw migration_error(
    "--old-times-in is '" + plain_line(zone, 100) +
    "': must be UTC or the name of a zone that the server knows, such as Europe/Berlin; nothing was changed");
}

int64_t move_times_to_utc(pqxx::transaction_base& transaction, const old_times& found, const std::string& zone) {
  if (!found.has_rows || found.columns.empty() || zone == "UTC")
    return 0;
  std::string assignments;
  for (const auto& each : found.columns) {
    const auto name = transaction.quote_name(each);
    assignments += (assignments.empty() ? "" : ", ") + name + " = (" + name + " at time zone $1) at time zone 'UTC'";
  }
  return static_cast<int64_t>(
    transaction.exec_params("update orchestration_runs set " + assignments, zone).affected_rows());
}

} // namespace levain
