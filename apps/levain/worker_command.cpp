#include "apps/levain/commands.hpp"
#include "apps/terminal/worker_text.hpp"

namespace levain {

namespace {

exit_status show_workers(const command_line& line) {
  const auto found = client_of(line).get("/v1/operator/workers");
  const auto text = terminal::workers_text(found.at("workers"), line.out.look);
  answer(line, found, text.empty() ? "no workers are connected with this node\n" : text);
  return exit_status::done;
}

} // namespace

void add_worker_command(CLI::App& app, command_line& line) {
  auto* workers = app.add_subcommand("workers", "List the workers that are connected with the daemon");
  add_daemon_options(*workers, line);
  workers->callback([&line] { line.chosen = [&line] { return show_workers(line); }; });
}

} // namespace levain
