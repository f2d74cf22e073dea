#include "apps/levain/completion.hpp"

#include <algorithm>
#include <optional>

#include "apps/levain/program_words.hpp"

namespace levain {

namespace {

bool is_shown(const CLI::Option* option) {
  return !option->get_group().empty();
}

bool takes_value(const CLI::Option* option) {
  return option->get_items_expected_max() > 0;
}

const CLI::Option* find_option(const CLI::App& command, const std::string& word) {
  const auto found = command.get_options([&](const CLI::Option* each) { return each->check_name(word); });
  return found.empty() ? nullptr : found.front();
}

const CLI::App* find_command(const CLI::App& within, const std::string& word) {
  const auto found = within.get_subcommands([&](const CLI::App* each) { return each->get_name() == word; });
  return found.empty() ? nullptr : found.front();
}

/// The words between the braces of `TEXT:{normal,high,critical}`, as which CLI11 shows a closed set of values.
std::vector<std::string> choices_of(const CLI::Option* option) {
  const auto type = option->get_type_name();
  const auto begin = type.find('{');
  const auto end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos)
    return {};
  return CLI::detail::split(type.substr(begin + 1, end - begin - 1), ',');
}

/// A command line up to the word that is being typed.
class typed_line {
public:
  explicit typed_line(const CLI::App& program)
    : program_(program)
    , command_(&program) {}

  void take(const std::string& word) {
    // Bash cuts at the sign: `--priority`, `=`, `high`.
    if (value_awaited_ && word == "=")
      return;
    if (value_awaited_) {
      value_awaited_ = false;
      option_ = nullptr;
    } else if (word.starts_with('-')) {
      take_option(word);
    } else if (const auto* next = find_command(*command_, word)) {
      command_ = next;
      positionals_ = 0;
    } else if (command_ != &program_ || word != help_word) {
      ++positionals_;
    }
  }

  std::vector<completion> ends_of(const std::string& word) const {
    const auto begun = value_awaited_ && word == "=" ? std::string() : word;
    std::vector<completion> found;
    if (value_awaited_)
      found = values_of(option_);
    else if (begun.starts_with('-'))
      found = options();
    else
      found = commands_or_values();
    std::erase_if(found, [&](const completion& each) { return !each.word.starts_with(begun); });
    return found;
  }

private:
  void take_option(const std::string& word) {
    if (word.find('=') != std::string::npos)
      return;
    option_ = find_option(*command_, word);
    value_awaited_ = option_ ? takes_value(option_) : command_ == &program_ && is_shared_with_value(word);
  }

  static std::vector<completion> values_of(const CLI::Option* option) {
    std::vector<completion> found;
    if (option)
      for (auto& each : choices_of(option))
        found.push_back({std::move(each), ""});
    return found;
  }

  std::vector<completion> options() const {
    std::vector<completion> found;
    for (const auto* each : command_->get_options(is_shown))
      for (const auto& name : each->get_lnames())
        found.push_back({"--" + name, each->get_description()});
    if (command_ == &program_)
      for (const auto word : shared_options())
        found.push_back({std::string(word), ""});
    return found;
  }

  std::vector<completion> commands_or_values() const {
    std::vector<completion> found;
    for (const auto* each : command_->get_subcommands([](const CLI::App*) { return true; }))
      found.push_back({each->get_name(), each->get_description()});
    if (command_ == &program_) {
      found.push_back({std::string(help_word), "Show the options of a command"});
      found.push_back({std::string(version_word), "Show the version"});
    }
    const auto positionals = command_->get_options([](const CLI::Option* each) { return each->get_positional(); });
    if (positionals_ < positionals.size())
      for (auto& each : values_of(positionals[positionals_]))
        found.push_back(std::move(each));
    return found;
  }

  const CLI::App& program_;
  const CLI::App* command_;
  /// The option whose value comes next; null for one that is shared and stands before the command.
  const CLI::Option* option_ = nullptr;
  bool value_awaited_ = false;
  size_t positionals_ = 0;
};

/// The first line of a meaning, with the marks of zsh made plain.
std::string line_for(const std::string& shell, const completion& one) {
  const auto meaning = one.meaning.substr(0, one.meaning.find('\n'));
  if (shell == "fish")
    return one.word + '\t' + meaning + '\n';
  if (shell != "zsh")
    return one.word + '\n';
  std::string word;
  for (const char c : one.word)
    word.append(c == ':' ? "\\:" : std::string(1, c));
  return word + (meaning.empty() ? "" : ":" + meaning) + '\n';
}

constexpr const char* bash_script = R"script(# levain completion bash
_levain() {
  local IFS=$'\n'
  COMPREPLY=($("$1" completion words bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _levain levain
)script";

constexpr const char* zsh_script = R"script(#compdef levain
# levain completion zsh
_levain() {
  local -a found
  found=("${(@f)$("${words[1]}" completion words zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=(${found:#})
  if (( $#found )); then
    _describe levain found
  else
    _files
  fi
}
if [[ "${funcstack[1]}" == _levain ]]; then
  _levain "$@"
else
  compdef _levain levain
fi
)script";

constexpr const char* fish_script = R"script(# levain completion fish
function __levain_words
  set -l typed (commandline -opc)
  command $typed[1] completion words fish $typed[2..-1] (commandline -ct) 2>/dev/null
end
complete -c levain -f -a '(__levain_words)'
complete -c levain -F -n 'test -z "$(__levain_words)"'
)script";

} // namespace

std::vector<completion> completions(const CLI::App& program, const std::vector<std::string>& typed) {
  if (typed.empty())
    return {};
  typed_line line(program);
  for (size_t i = 0; i + 1 < typed.size(); ++i)
    line.take(typed[i]);
  return line.ends_of(typed.back());
}

const std::vector<std::string>& completion_shells() {
  static const std::vector<std::string> shells{"bash", "zsh", "fish"};
  return shells;
}

std::string completion_script(const std::string& shell) {
  return shell == "bash" ? bash_script : shell == "zsh" ? zsh_script : fish_script;
}

std::optional<std::string> answer_completion(const CLI::App& program, const std::vector<std::string>& words) {
  constexpr size_t words_before = 3;
  const auto& shells = completion_shells();
  if (
    words.size() < words_before || words[0] != "completion" || words[1] != "words" ||
    std::find(shells.begin(), shells.end(), words[2]) == shells.end())
    return std::nullopt;
  std::string text;
  for (const auto& each : completions(program, {words.begin() + words_before, words.end()}))
    text += line_for(words[2], each);
  return text;
}

} // namespace levain
