#include "apps/levain/commands.hpp"

namespace levain {

void declare_commands(CLI::App& app, command_line& line) {
  app.set_version_flag("--version", std::string("levain ") + LEVAIN_VERSION);
  app.require_subcommand(1);
  app.add_option("--log-level", line.log_level, "trace, debug, info, warn, error or off; to standard error")
    ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
    ->capture_default_str();
  app.footer(
    "help [COMMAND] is --help, version is --version. Options that commands share may stand before the command.\n"
    "Exit status: 0 done, 1 the work failed, 2 the command line was wrong, 3 a service it needs is not there.\n"
    "LEVAIN_URL, LEVAIN_TENANT, LEVAIN_DATABASE and LEVAIN_EMBEDDED stand in for the options of these names.");
  add_demo_command(app, line);
  add_workflow_commands(app, line);
  add_start_command(app, line);
  add_run_commands(app, line);
  add_wish_commands(app, line);
  add_list_commands(app, line);
  add_figure_commands(app, line);
  add_worker_command(app, line);
  add_node_commands(app, line);
  add_migrate_commands(app, line);
  add_upkeep_commands(app, line);
  add_verify_command(app, line);
  add_doctor_command(app, line);
  add_certs_command(app, line);
  add_completion_command(app, line);
}

} // namespace levain
