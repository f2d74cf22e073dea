#include "apps/levain/used_database.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace levain {

void add_database_options(CLI::App& command, command_line& line) {
  command.add_option("--database", line.database, "A PostgreSQL URL (LEVAIN_DATABASE)");
  command.add_option(
    "--embedded", line.embedded,
    "The directory of a private PostgreSQL, started when none runs there (LEVAIN_EMBEDDED)");
  add_json_option(command, line);
}

used_database::used_database(const command_line& line, when_missing otherwise) {
  const bool named = !line.database.empty() || !line.embedded.empty();
  const auto url = named ? line.database : from_environment("LEVAIN_DATABASE");
  const auto embedded = named ? line.embedded : from_environment("LEVAIN_EMBEDDED");
  if (url.empty() == embedded.empty())
    throw command_failed(
      exit_status::wrong_command_line,
      url.empty()
        ? "which database? Give --database a PostgreSQL URL (or set LEVAIN_DATABASE), or --embedded a directory"
        : "two databases are named, by --database (or LEVAIN_DATABASE) and --embedded (or LEVAIN_EMBEDDED): give one");
  if (!url.empty()) {
    url_ = url;
    return;
  }
  const std::filesystem::path directory(embedded);
  std::error_code ignored;
  if (otherwise == when_missing::refuse && !std::filesystem::is_directory(directory, ignored))
    throw command_failed(
      exit_status::service_missing, fmt::format("--embedded is '{}', which holds no database", embedded));
  try {
    url_ = embedded_postgres_url(directory);
  } catch (const embedded_postgres_error&) {
    // None runs there now.
    own_ = embedded_postgres::start({.directory = directory});
    url_ = own_->url();
  }
}

} // namespace levain
