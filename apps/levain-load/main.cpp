// The load-test harness: parses, wires, ends with one of four statuses.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "apps/levain-load/commands.hpp"
#include "apps/program/init_process.hpp"
#include "apps/terminal/command_end.hpp"

namespace levain::load {

namespace {

constexpr const char* program = "levain-load";

/// The words in the order in which CLI11 takes them, last first. Where they begin with an option, `run` is meant.
std::vector<std::string> with_command(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const bool of_the_program =
    !words.empty() && (words.front() == "--help" || words.front() == "-h" || words.front() == "--version");
  if (words.empty() || (!of_the_program && words.front().starts_with('-')))
    words.insert(words.begin(), "run");
  std::reverse(words.begin(), words.end());
  return words;
}

int read_and_perform(int argc, char** argv) {
  CLI::App app("Loads an engine or a database, and says what it came to.", program);
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("levain-load ") + LEVAIN_VERSION);
  command_line line;
  line.out = terminal::screen::standard_output();
  add_run_command(app, line);
  add_floor_command(app, line);
  add_compare_command(app, line);
  add_bench_command(app, line);
  add_soak_command(app, line);
  auto words = with_command(argc, argv);
  const auto known = app.get_subcommands([&](const CLI::App* each) { return each->check_name(words.back()); });
  if (const auto& first = words.back(); !first.starts_with('-') && known.empty())
    return terminal::end_with(
      program, exit_status::wrong_command_line,
      fmt::format("there is no command '{}'; there are {}", first, terminal::command_names(app)));
  try {
    app.parse(words);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    return terminal::end_with(
      program, exit_status::wrong_command_line,
      fmt::format("{}\nlevain-load --help lists the commands and their options", wrong.what()));
  }
  terminal::log_to_standard_error(program, "warn");
  return terminal::perform(program, line.chosen);
}

} // namespace

} // namespace levain::load

int main(int argc, char** argv) {
  levain::begin_below_init();
  return levain::load::read_and_perform(argc, argv);
}
