#pragma once

#include "apps/levain/command_line.hpp"

namespace levain {

/// Everything that the program's command line can say.
void declare_commands(CLI::App& app, command_line& line);

// Each adds commands to the program; parsing sets `line.chosen`, which outlives neither `app` nor `line`.

/// `workflow register|list|show`.
void add_workflow_commands(CLI::App& app, command_line& line);
/// `start`.
void add_start_command(CLI::App& app, command_line& line);
/// `show`, `events`, `explain`, `watch`.
void add_run_commands(CLI::App& app, command_line& line);
/// `cancel`, `terminate`, `pause`, `resume`, `retry`.
void add_wish_commands(CLI::App& app, command_line& line);
/// `attention resolve`.
void add_resolve_command(CLI::App& attention, command_line& line);
/// `list`, `active`, `history`, `attention`.
void add_list_commands(CLI::App& app, command_line& line);
/// `metrics`, `status`.
void add_figure_commands(CLI::App& app, command_line& line);
/// `workers`.
void add_worker_command(CLI::App& app, command_line& line);
/// `nodes`, `node drain|undrain`.
void add_node_commands(CLI::App& app, command_line& line);
/// `migrate up|status|verify|close-adopted`.
void add_migrate_commands(CLI::App& app, command_line& line);
/// `indexes list|create|drop`, `retention`.
void add_upkeep_commands(CLI::App& app, command_line& line);
/// `verify`.
void add_verify_command(CLI::App& app, command_line& line);
/// `doctor`.
void add_doctor_command(CLI::App& app, command_line& line);
/// `certs`.
void add_certs_command(CLI::App& app, command_line& line);
/// `completion`.
void add_completion_command(CLI::App& app, command_line& line);
/// `demo`.
void add_demo_command(CLI::App& app, command_line& line);

} // namespace levain
