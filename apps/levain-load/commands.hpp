#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "apps/client/exit_status.hpp"
#include "apps/terminal/screen.hpp"

namespace levain::load {

/// What the command line says beside the words of the one command in it.
struct command_line {
  bool json = false;
  terminal::screen out;
  /// The work, found by parsing and done after it.
  std::function<exit_status()> chosen;
};

// Each adds a command to the program; parsing sets `line.chosen`, which outlives neither `app` nor `line`.

/// `run`, which is meant where no command is named.
void add_run_command(CLI::App& app, command_line& line);

/// `floor`.
void add_floor_command(CLI::App& app, command_line& line);
/// `compare`.
void add_compare_command(CLI::App& app, command_line& line);
/// `bench`.
void add_bench_command(CLI::App& app, command_line& line);
/// `soak`.
void add_soak_command(CLI::App& app, command_line& line);

} // namespace levain::load
