// The load-test harness: parses, wires, ends with one of four statuses.
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "apps/levain-load/commands.hpp"
#include "persistence/embedded_postgres.hpp"
#include "persistence/journal.hpp"

namespace levain::load {

namespace {

int end_with(exit_status status, const std::string& sentence) {
  std::cerr << fmt::format("levain-load: {}\n", sentence);
  return static_cast<int>(status);
}

void set_up_log() {
  // Standard output belongs to the answer.
  auto log = spdlog::stderr_color_mt("levain-load");
  log->set_level(spdlog::level::warn);
  spdlog::set_default_logger(std::move(log));
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

/// The words in the order in which CLI11 takes them, last first. Where they begin with an option, `run` is meant.
std::vector<std::string> with_command(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const bool of_the_program = !words.empty() && (words.front() == "--help" || words.front() == "-h");
  if (words.empty() || (!of_the_program && words.front().starts_with('-')))
    words.insert(words.begin(), "run");
  std::reverse(words.begin(), words.end());
  return words;
}

std::string commands_of(CLI::App& app) {
  std::string names;
  for (const auto* each : app.get_subcommands([](const CLI::App*) { return true; }))
    names += (names.empty() ? "" : ", ") + each->get_name();
  return names;
}

int read_and_perform(int argc, char** argv) {
  CLI::App app("Loads an engine or a database, and says what it came to.", "levain-load");
  app.require_subcommand(1);
  command_line line;
  line.out = terminal::screen::standard_output();
  add_run_command(app, line);
  add_floor_command(app, line);
  add_compare_command(app, line);
  add_bench_command(app, line);
  auto words = with_command(argc, argv);
  const auto known = app.get_subcommands([&](const CLI::App* each) { return each->check_name(words.back()); });
  if (const auto& first = words.back(); !first.starts_with('-') && known.empty())
    return end_with(
      exit_status::wrong_command_line, fmt::format("there is no command '{}'; there are {}", first, commands_of(app)));
  try {
    app.parse(words);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    return end_with(
      exit_status::wrong_command_line,
      fmt::format("{}\nlevain-load --help lists the commands and their options", wrong.what()));
  }
  set_up_log();
  return perform(line);
}

} // namespace

} // namespace levain::load

int main(int argc, char** argv) {
  return levain::load::read_and_perform(argc, argv);
}
