// The operator's command line: parses, wires, ends with one of four statuses.
#include <algorithm>

#include <fmt/format.h>

#include "apps/levain/commands.hpp"
#include "apps/levain/completion.hpp"
#include "apps/levain/program_words.hpp"
#include "apps/program/init_process.hpp"
#include "apps/terminal/command_end.hpp"

namespace {

using namespace levain;

constexpr const char* program = "levain";

/// What was wrong, with the word that is no command named: CLI11 only says that one is missing.
std::string sentence_of(const CLI::ParseError& wrong, const CLI::App& app) {
  const auto* within = &app;
  while (!within->get_subcommands().empty())
    within = within->get_subcommands().front();
  const bool command_missing =
    dynamic_cast<const CLI::RequiredError*>(&wrong) != nullptr && within->get_require_subcommand_min() > 0;
  if (!command_missing)
    return wrong.what();
  const auto known = terminal::command_names(*within);
  const auto unknown = within->remaining();
  return unknown.empty() ? fmt::format("which command? One of {}", known)
                         : fmt::format("there is no command '{}'; there are {}", unknown.front(), known);
}

} // namespace

int main(int argc, char** argv) {
  levain::begin_below_init();
  CLI::App app("The operator's command line of Levain.", program);
  command_line line;
  line.out = terminal::screen::standard_output();
  if (const auto url = from_environment("LEVAIN_URL"); !url.empty())
    line.url = url;
  declare_commands(app, line);
  if (const auto words = answer_completion(app, {argv + 1, argv + argc}))
    return terminal::perform(program, [&] {
      terminal::print(*words);
      return exit_status::done;
    });
  try {
    auto words = program_words({argv + 1, argv + argc});
    // CLI11 takes them from the end.
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    return terminal::end_with(
      program, exit_status::wrong_command_line,
      fmt::format("{}\nlevain --help lists the commands and their options", sentence_of(wrong, app)));
  }
  terminal::log_to_standard_error(program, line.log_level);
  return terminal::perform(program, line.chosen);
}
