#pragma once

#include <memory>
#include <string>

#include "apps/levain/command_line.hpp"
#include "persistence/embedded_postgres.hpp"

namespace levain {

/// `--database`, `--embedded` and `--json`.
void add_database_options(CLI::App& command, command_line& line);

/// True when the command line or the environment names a database.
bool is_database_named(const command_line& line);

/// The URL of the database that is named, if a server runs there: none is started. Throws as `used_database` does.
std::string running_database_url(const command_line& line);

/// Throws `command_failed` that names the first migration that is missing in the database.
void require_schema(const std::string& url);

/// The database that the command line names: somebody's server, the private one that a program is running in a
/// directory, or one that is started there for as long as this lives.
class used_database {
public:
  enum class when_missing : uint8_t { refuse, make };

  /// Throws `command_failed` when none or two are named, or (to `refuse`) when the directory holds no database, and
  /// `embedded_postgres_error`.
  used_database(const command_line& line, when_missing otherwise);

  const std::string& url() const { return url_; }

private:
  std::unique_ptr<embedded_postgres> own_;
  std::string url_;
};

} // namespace levain
