#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "actors/node.hpp"
#include "apps/load/http_target.hpp"
#include "apps/load/load_options.hpp"

namespace levain::load {

/// Everything that the command line of a load says.
struct load_words {
  load_options load;
  /// Of the engine in this process.
  node_options node;
  daemon_options_of_load daemons;
  std::string embedded;
  std::string database;
  bool no_migrate = false;
  /// Files; empty for none.
  std::string out;
  std::string report;

  // What becomes an option when all of it is known.
  std::string workflow_file;
  std::string input;
  std::string shape = "chain";
  std::string tenants = "1";
  std::string priorities = "normal=1";
  std::string effect = "external";
  bool no_proof = false;
};

/// Declares the options on `command`; parsing fills `words`, which live as long.
void add_load_options(CLI::App& command, load_words& words);

/// Checks what belongs together, and reads the files that are named. Throws `command_failed` with a sentence that names
/// the option, the value and what would have been right.
void finish_words(load_words& words);

} // namespace levain::load
