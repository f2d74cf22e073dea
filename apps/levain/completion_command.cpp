#include <memory>

#include "apps/levain/commands.hpp"
#include "apps/levain/completion.hpp"

namespace levain {

void add_completion_command(CLI::App& app, command_line& line) {
  auto shell = std::make_shared<std::string>();
  auto* command = app.add_subcommand("completion", "Print the script by which a shell completes command lines");
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember(completion_shells()));
  command->footer("bash: source <(levain completion bash)\n"
                  "zsh:  levain completion zsh > \"${fpath[1]}/_levain\"\n"
                  "fish: levain completion fish > ~/.config/fish/completions/levain.fish");
  command->callback([&line, shell] {
    line.chosen = [shell] {
      terminal::print(completion_script(*shell));
      return exit_status::done;
    };
  });
}

} // namespace levain
