#include "apps/levain/used_database.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "persistence/migrator.hpp"

namespace levain {

void add_database_options(CLI::App& command, command_line& line) {
  command.add_option("--database", line.database, "A PostgreSQL URL (LEVAIN_DATABASE)");
  command.add_option(
    "--embedded", line.embedded,
    "The directory of a private PostgreSQL, started when none runs there (LEVAIN_EMBEDDED)");
  add_json_option(command, line);
}

namespace {

/// A URL or a directory; the other one is empty.
struct named_database {
  std::string url;
  std::string embedded;
};

/// An option for one beats a variable for the other.
named_database named_by(const command_line& line) {
  if (!line.database.empty() || !line.embedded.empty())
    return {line.database, line.embedded};
  return {from_environment("LEVAIN_DATABASE"), from_environment("LEVAIN_EMBEDDED")};
}

named_database only_one_named_by(const command_line& line) {
  auto named = named_by(line);
  if (named.url.empty() == named.embedded.empty())
    throw command_failed(
      exit_status::wrong_command_line,
      named.url.empty()
        ? "which database? Give --database a PostgreSQL URL (or set LEVAIN_DATABASE), or --embedded a directory"
        : "two databases are named, by --database (or LEVAIN_DATABASE) and --embedded (or LEVAIN_EMBEDDED): give one");
  return named;
}

} // namespace

bool is_database_named(const command_line& line) {
  const auto named = named_by(line);
  return !named.url.empty() || !named.embedded.empty();
}

std::string running_database_url(const command_line& line) {
  const auto named = only_one_named_by(line);
  return named.url.empty() ? embedded_postgres_url(named.embedded) : named.url;
}

used_database::used_database(const command_line& line, when_missing otherwise) {
  const auto named = only_one_named_by(line);
  if (!named.url.empty()) {
    url_ = named.url;
    return;
  }
  const std::filesystem::path directory(named.embedded);
  std::error_code ignored;
  if (otherwise == when_missing::refuse && !std::filesystem::is_directory(directory, ignored))
    throw command_failed(
      exit_status::service_missing, fmt::format("--embedded is '{}', which holds no database", named.embedded));
  try {
    url_ = embedded_postgres_url(directory);
  } catch (const embedded_postgres_error&) {
    // None runs there now.
    own_ = embedded_postgres::start({.directory = directory});
    url_ = own_->url();
  }
}

void require_schema(const std::string& url) {
  const auto statuses = migration_statuses(url);
  for (const auto& each : statuses)
    if (each.state == migration_status::state_type::pending)
      throw command_failed(
        exit_status::failed,
        fmt::format("migration {} is not applied to this database: run levain migrate up first", each.name));
}

} // namespace levain
