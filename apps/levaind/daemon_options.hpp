#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>

#include "actors/gateway/http_server.hpp"
#include "actors/node.hpp"
#include "persistence/reader.hpp"

namespace levain {

/// Everything the daemon can be told: by the command line, else `LEVAIN_...` variables, else a TOML file.
struct daemon_options {
  /// A directory for a private PostgreSQL; empty when `database` is given.
  std::string embedded;
  /// A connection URL; empty when `embedded` is given.
  std::string database;
  bool no_migrate = false;
  /// Where the port is written once it is open; empty for nowhere.
  std::string port_file;
  std::string log_level = "info";
  bool log_json = false;
  /// Between two rounds of upkeep of the database (partitions ahead, analytics).
  std::chrono::microseconds upkeep_interval = std::chrono::hours(1);
  /// For answers to leave when the daemon stops.
  std::chrono::milliseconds answer_grace{1000};
  http_server_options http;
  reader_options reads;
  node_options node;
};

/// Reads the command line. Answers the exit status where the program is to end at once: 0 after `--help` and
/// `--version`, 2 for what is wrong, said on stderr.
std::variant<daemon_options, int> read_daemon_options(int argc, const char* const* argv);

/// The files that these options may keep open at once: clients, calls, and connections to the database, with some to
/// spare.
size_t open_files_wanted(const daemon_options& options);

} // namespace levain
