#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include <CLI/CLI.hpp>

#include "apps/client/api_client.hpp"
#include "apps/client/exit_status.hpp"
#include "apps/terminal/screen.hpp"
#include "persistence/ids.hpp"
#include "persistence/timestamp.hpp"

namespace levain {

/// An environment variable; empty when it is not set.
std::string from_environment(const char* name);

/// What the command line says beside the words of the one command in it. Several commands have an option for one of
/// these, so the environment fills them before the command line is read (CLI11 would let it win for the commands that
/// are not there).
struct command_line {
  std::string url = api_client_options{}.url;
  std::string tenant = from_environment("LEVAIN_TENANT");
  /// Without what the environment says, since an option for the one beats a variable for the other.
  std::string database;
  std::string embedded;
  std::string log_level = "error";
  bool json = false;
  /// The run is looked for among those of all tenants.
  bool all_tenants = false;
  terminal::screen out;
  /// The work, found by parsing and done after it.
  std::function<exit_status()> chosen;
};

/// `--json`.
void add_json_option(CLI::App& command, command_line& line);
/// `--url` and `--json`.
void add_daemon_options(CLI::App& command, command_line& line);
/// `--tenant`, for commands that are about one tenant's runs.
void add_tenant_option(CLI::App& command, command_line& line);
/// `--tenant` and `--all-tenants`, for commands that are about one run.
void add_run_options(CLI::App& command, command_line& line);

/// The tenant. Throws `command_failed` when there is none or it is no UUID.
tenant_id tenant_of(const command_line& line);
/// `/v1/tenants/{tenant}`.
std::string tenant_path(const command_line& line);
/// `/v1/tenants/{tenant}/runs/{run}`, or `/v1/operator/runs/{run}` across all tenants; `run` is an id or a run number.
std::string run_path(const command_line& line, const std::string& run);
api_client client_of(const command_line& line);

/// A moment: RFC 3339, a day (its beginning in UTC), or how long ago (`90m`, `2h`, `7d`). Throws `command_failed`
/// naming `option`.
timestamp moment_from(const std::string& option, const std::string& text);

/// A span such as `250ms`. Throws `command_failed` naming `option` when it is none, or not from `least` to `most`.
std::chrono::milliseconds span_from(
  const std::string& option, const std::string& text, std::chrono::milliseconds least, std::chrono::milliseconds most);

/// The text itself, or what is in the file after `@` (`@-` is standard input). Throws `command_failed`.
std::string text_or_file(const std::string& option, const std::string& given);

/// Who asks: the login name of whoever runs the program.
std::string login_name();

/// The document as it is with `--json`, else `text`.
void answer(const command_line& line, const nlohmann::ordered_json& document, const std::string& text);

} // namespace levain
