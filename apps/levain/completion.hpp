#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

// What a shell offers behind a half-typed command line. It comes from the declared commands and options alone, so it
// knows all of them and nothing else.

namespace levain {

/// A word that could stand next, and what it means; the meaning may be empty.
struct completion {
  std::string word;
  std::string meaning;
};

/// What could stand in place of the last of these words, which may be empty; those before it are as they were typed,
/// without the program's name. Nothing where the program knows no list: a file, a run, a text.
std::vector<completion> completions(const CLI::App& program, const std::vector<std::string>& typed);

/// The shells that there is a script for.
const std::vector<std::string>& completion_shells();

/// The script that makes `shell` ask `levain completion words`.
std::string completion_script(const std::string& shell);

/// The answer to `levain completion words SHELL WORD...`, as the script of that shell reads it; nothing when the words
/// ask for something else.
std::optional<std::string> answer_completion(const CLI::App& program, const std::vector<std::string>& words);

} // namespace levain
