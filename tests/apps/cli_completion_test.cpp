// What shells offer behind a half-typed command line, and that it is all that the program knows.
#include <boost/test/unit_test.hpp>

#include <regex>
#include <set>
#include <sstream>

#include "tests/support/has.hpp"
#include "tests/support/processes.hpp"

using namespace levain::test;

namespace {

/// What could stand in place of the last word.
std::set<std::string> offered(std::vector<std::string> typed) {
  typed.insert(typed.begin(), {"completion", "words", "bash"});
  const auto result = run_to_end({"levain", std::move(typed)});
  BOOST_TEST(result.status == 0);
  std::set<std::string> words;
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);)
    words.insert(line);
  return words;
}

std::string help_of(std::vector<std::string> command) {
  command.emplace_back("--help");
  return run_to_end({"levain", std::move(command)}).output;
}

/// The commands that this help lists.
std::vector<std::string> commands_in(const std::string& help) {
  std::vector<std::string> found;
  const auto at = help.find("Subcommands:\n");
  if (at == std::string::npos)
    return found;
  const std::regex line("\n  ([a-z][a-z-]*) ");
  const auto list = help.substr(at);
  for (std::sregex_iterator each(list.begin(), list.end(), line), end; each != end; ++each)
    found.push_back(each->str(1));
  return found;
}

/// The long options that this help explains at the beginning of a line.
std::set<std::string> options_in(const std::string& help) {
  std::set<std::string> found;
  const std::regex line("\n  (?:-[a-z],)?((?:--[a-z-]+,?)+)");
  const std::regex name("--[a-z-]+");
  for (std::sregex_iterator each(help.begin(), help.end(), line), end; each != end; ++each) {
    const auto names = each->str(1);
    for (std::sregex_iterator one(names.begin(), names.end(), name); one != end; ++one)
      found.insert(one->str());
  }
  return found;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cli_completion_test)

BOOST_AUTO_TEST_CASE(every_command_and_every_option_is_offered) {
  std::vector<std::vector<std::string>> commands{{}};
  size_t seen = 0;
  while (!commands.empty()) {
    const auto command = commands.back();
    commands.pop_back();
    const auto help = help_of(command);
    auto typed = command;
    typed.emplace_back("");
    const auto words = offered(typed);
    for (const auto& below : commands_in(help)) {
      BOOST_TEST(words.contains(below), below);
      commands.push_back(command);
      commands.back().push_back(below);
      ++seen;
    }
    typed.back() = "--";
    const auto options = offered(typed);
    for (const auto& each : options_in(help))
      BOOST_TEST(options.contains(each), (command.empty() ? "levain" : command.back()) << ' ' << each);
  }
  BOOST_TEST(seen >= 40U);
}

BOOST_AUTO_TEST_CASE(words_are_offered_where_they_can_stand) {
  using words = std::set<std::string>;
  BOOST_TEST((offered({"st"}) == words{"start", "status"}));
  BOOST_TEST((offered({"workflow", ""}) == words{"register", "list", "show"}));
  BOOST_TEST((offered({"start", "w", "--priority", ""}) == words{"normal", "high", "critical"}));
  BOOST_TEST((offered({"start", "w", "--priority", "=", "h"}) == words{"high"}));
  BOOST_TEST((offered({"start", "w", "--priority", "h"}) == words{"high"}));
  BOOST_TEST((offered({"list", "--status", "failed", "--sta"}) == words{"--status"}));
  BOOST_TEST((offered({"--url", "list", "no"}) == words{"node", "nodes"}));
  BOOST_TEST((offered({"--js"}) == words{"--json"}));
  BOOST_TEST((offered({"help", "sta"}) == words{"start", "status"}));
  BOOST_TEST((offered({"completion", ""}) == words{"bash", "zsh", "fish"}));
  // A file, a run, a text: nothing that the program could list.
  BOOST_TEST(offered({"workflow", "register", ""}).empty());
  BOOST_TEST(offered({"start", "w", "--input", ""}).empty());
  BOOST_TEST(offered({"show", "nothing", "more", ""}).empty());
}

BOOST_AUTO_TEST_CASE(each_shell_is_told_in_its_own_form) {
  const auto told = [](const std::string& shell) {
    return run_to_end({"levain", {"completion", "words", shell, "statu"}}).output;
  };
  BOOST_TEST(told("bash") == "status\n");
  BOOST_TEST(told("zsh") == "status:Show how the daemon is; fails when it is not ready\n");
  BOOST_TEST(told("fish") == "status\tShow how the daemon is; fails when it is not ready\n");
  BOOST_TEST(run_to_end({"levain", {"completion", "tcsh"}}).status == 2);
  for (const std::string shell : {"zsh", "fish"})
    BOOST_TEST(has(run_to_end({"levain", {"completion", shell}}).output, "completion words " + shell));
}

BOOST_AUTO_TEST_CASE(bash_completes_by_the_script) {
  const std::string script = "source <(\"$0\" completion bash)\n"
                             "complete -p levain\n"
                             "COMP_WORDS=(levain list --status par)\nCOMP_CWORD=3\n_levain \"$0\" par --status\n"
                             "printf '%s\\n' \"${COMPREPLY[@]}\"\n";
  const auto result = run_to_end({"/bin/bash", {"-c", script, program_folder() / "levain"}});
  BOOST_TEST(result.output == "complete -o default -F _levain levain\npartial_success\n", result.errors);
}

BOOST_AUTO_TEST_SUITE_END()
