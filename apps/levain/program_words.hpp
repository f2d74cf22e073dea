#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace levain {

/// What asks for `--help`, of the program or of the command named behind it.
inline constexpr std::string_view help_word = "help";
inline constexpr std::string_view version_word = "version";

/// The options that may stand before the command.
std::span<const std::string_view> shared_options();
/// Whether it is one of them that the next word is the value of.
bool is_shared_with_value(std::string_view word);

/// The words of the command line in the order in which the parser wants them: options that many commands share
/// (`--url`, `--tenant`, `--json`, `--database`, `--embedded`) may stand before the command and come after it here;
/// `help` and `help COMMAND` become `--help`, and `version` becomes `--version`.
std::vector<std::string> program_words(std::vector<std::string> given);

} // namespace levain
