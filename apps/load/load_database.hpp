#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "persistence/embedded_postgres.hpp"

namespace levain::load {

/// The words of a command line that name a database.
struct database_words {
  std::string database;
  std::string embedded;
  bool no_migrate = false;
};

/// `--database`, `--embedded` and `--no-migrate`.
void add_database_options(CLI::App& command, database_words& words);

/// The database that is named: somebody's server, the private one that a program is running in a directory, or one that
/// is made and started there for as long as this lives; migrated unless told otherwise.
class load_database {
public:
  /// Throws `command_failed` when none or two are named, and `embedded_postgres_error`, `migration_error`,
  /// `journal_unavailable`.
  explicit load_database(const database_words& words);

  const std::string& url() const { return url_; }

private:
  std::unique_ptr<embedded_postgres> own_;
  std::string url_;
};

} // namespace levain::load
