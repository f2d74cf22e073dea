#include "persistence/database_figures.hpp"

#include <fstream>

#include <pqxx/pqxx>

#include "persistence/connection.hpp"
#include "persistence/journal.hpp"
#include "persistence/session.hpp"
#include "persistence/sql_errors.hpp"

namespace levain {

namespace {

constexpr const char* figures_statement = R"(
  select
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint,
    (select xact_commit from pg_stat_database where datname = current_database()),
    (
      select coalesce(sum(n_dead_tup), 0)::bigint
      from pg_stat_all_tables
      where relid = 'orchestration_runs'::regclass
        or relid in (select inhrelid from pg_inherits where inhparent = 'run_events'::regclass)
    ))";

constexpr const char* settings_statement = R"(
  select name, current_setting(name)
  from pg_settings
  where name in (
    'server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'wal_level', 'wal_compression',
    'wal_sync_method', 'wal_buffers', 'shared_buffers', 'max_wal_size', 'checkpoint_timeout', 'commit_delay', 'autovacuum',
    'effective_io_concurrency', 'max_connections', 'synchronous_standby_names')
  order by name)";

constexpr const char* place_statement = R"(
  select
    pg_backend_pid(),
    inet_server_addr() is null or inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() = '::1')";

constexpr std::chrono::milliseconds statement_timeout{10'000};

/// What `work` answers when it is given a transaction on a connection of its own.
template <class Work>
auto ask(const std::string& url, Work work) {
  connection_options options;
  options.url = url;
  options.application_name = "levain figures";
  options.statement_timeout = statement_timeout;
  return session(options, {}).ask(work);
}

std::string first_line_of(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

/// The name of the program that a process runs, as the kernel keeps it; empty when there is no such process.
std::string program_of(int process) {
  return first_line_of("/proc/" + std::to_string(process) + "/comm");
}

std::optional<int> parent_of(int process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("PPid:"))
      return std::stoi(line.substr(5));
  return std::nullopt;
}

} // namespace

database_figures read_database_figures(const std::string& url) {
  return ask(url, [](pqxx::work& transaction) {
    const auto row = transaction.exec1(figures_statement);
    return database_figures{row[0].as<uint64_t>(), row[1].as<uint64_t>(), row[2].as<uint64_t>()};
  });
}

std::map<std::string, std::string> read_server_settings(const std::string& url) {
  return ask(url, [](pqxx::work& transaction) {
    std::map<std::string, std::string> settings;
    for (const auto& row : transaction.exec(settings_statement))
      settings[row[0].c_str()] = row[1].c_str();
    return settings;
  });
}

std::optional<int> find_postmaster(const std::string& url) {
  return ask(url, [](pqxx::work& transaction) -> std::optional<int> {
    const auto row = transaction.exec1(place_statement);
    if (!row[1].as<bool>())
      return std::nullopt;
    // Loopback may lead into a container, where process ids mean something else.
    const int backend = row[0].as<int>();
    const auto parent = parent_of(backend);
    if (!parent || program_of(backend) != "postgres" || program_of(*parent) != "postgres")
      return std::nullopt;
    return parent;
  });
}

} // namespace levain
