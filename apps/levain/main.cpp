// The operator's command line: parses, wires, ends with one of four statuses.
#include <iostream>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "apps/levain/commands.hpp"
#include "persistence/embedded_postgres.hpp"
#include "persistence/journal.hpp"

namespace {

using namespace levain;

int end_with(exit_status status, const std::string& sentence) {
  std::cerr << fmt::format("levain: {}\n", sentence);
  return static_cast<int>(status);
}

void set_up_log(const std::string& level) {
  // Standard output belongs to the answer.
  auto log = spdlog::stderr_color_mt("levain");
  log->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(log));
}

/// What was wrong, with the word that is no command named: CLI11 only says that one is missing.
std::string sentence_of(const CLI::ParseError& wrong, const CLI::App& app) {
  const auto* within = &app;
  while (!within->get_subcommands().empty())
    within = within->get_subcommands().front();
  const bool command_missing =
    dynamic_cast<const CLI::RequiredError*>(&wrong) != nullptr && within->get_require_subcommand_min() > 0;
  if (!command_missing)
    return wrong.what();
  std::string known;
  for (const auto* each : within->get_subcommands([](const CLI::App*) { return true; }))
    known += (known.empty() ? "" : ", ") + each->get_name();
  const auto unknown = within->remaining();
  return unknown.empty() ? fmt::format("which command? One of {}", known)
                         : fmt::format("there is no command '{}'; there are {}", unknown.front(), known);
}

int perform(const command_line& line) {
  try {
    return static_cast<int>(line.chosen());
  } catch (const command_failed& failed) {
    return end_with(failed.status(), failed.what());
  } catch (const embedded_postgres_error& failed) {
    return end_with(exit_status::service_missing, failed.what());
  } catch (const journal_unavailable& failed) {
    return end_with(exit_status::service_missing, std::string("the database cannot be asked: ") + failed.what());
  } catch (const std::exception& failed) {
    return end_with(exit_status::failed, failed.what());
  }
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("The operator's command line of Levain.", "levain");
  command_line line;
  line.out = terminal::screen::standard_output();
  if (const auto url = from_environment("LEVAIN_URL"); !url.empty())
    line.url = url;
  declare_commands(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    return end_with(
      exit_status::wrong_command_line,
      fmt::format("{}\nlevain --help lists the commands and their options", sentence_of(wrong, app)));
  }
  set_up_log(line.log_level);
  return perform(line);
}
