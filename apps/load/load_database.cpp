#include "apps/load/load_database.hpp"

#include "apps/client/exit_status.hpp"
#include "persistence/migrator.hpp"

namespace levain::load {

void add_database_options(CLI::App& command, database_words& words) {
  auto* database = command.add_option("--database", words.database, "A PostgreSQL URL");
  command
    .add_option(
      "--embedded", words.embedded,
      "The directory of a private PostgreSQL, made when missing and started when none runs there")
    ->excludes(database);
  command.add_flag("--no-migrate", words.no_migrate, "Leave the schema as it is");
}

load_database::load_database(const database_words& words) {
  if (words.database.empty() == words.embedded.empty())
    throw command_failed(
      exit_status::wrong_command_line, "which database? Give --database a PostgreSQL URL, or --embedded a directory");
  if (!words.embedded.empty()) {
    try {
      url_ = embedded_postgres_url(words.embedded);
    } catch (const embedded_postgres_error&) {
      // None runs there now.
      own_ = embedded_postgres::start({.directory = words.embedded});
      url_ = own_->url();
    }
  } else {
    url_ = words.database;
  }
  if (!words.no_migrate)
    migrate_up(url_);
}

} // namespace levain::load
