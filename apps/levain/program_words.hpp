#pragma once

#include <string>
#include <vector>

namespace levain {

/// The words of the command line in the order in which the parser wants them: options that many commands share
/// (`--url`,
/// `--tenant`, `--json`, `--database`, `--embedded`) may stand before the command and come after it here; `help` and
/// `help COMMAND` become `--help`, and `version` becomes `--version`.
std::vector<std::string> program_words(std::vector<std::string> given);

} // namespace levain
