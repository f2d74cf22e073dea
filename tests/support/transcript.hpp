#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/processes.hpp"

// Documents whose commands are typed line by line.

namespace levain::test {

/// What is typed, and what is to be printed then.
struct typed_line {
  std::string command;
  std::vector<std::string> printed;
};

/// The lines of the `console` block with this number (from 0) of a page in `docs`, such as `cluster.md`.
std::vector<typed_line> transcript_of(const std::string& page, size_t block = 0);

/// Types as a reader does: starts programs, some in the background, and asks again what takes a moment.
class typist {
public:
  /// `here` says what stands on this machine for what stands in the document: ports, databases, folders.
  explicit typist(std::map<std::string, std::string> here);

  /// Types all of it; a failed check says which line printed something else.
  void type(const std::vector<typed_line>& lines);
  /// Programs in the background that have not ended.
  size_t running() const;

private:
  void type_one(const typed_line& line);
  program_options program(std::vector<std::string> words) const;
  void set(const std::string& assignment);
  void start(std::vector<std::string> words, const std::vector<std::string>& printed);
  void run(const std::vector<std::string>& words, const std::vector<std::string>& printed);
  void kill(const std::vector<std::string>& words);
  void wait_for_all();
  std::string as_here(std::string text) const;
  bool shows(const std::string& output, const std::vector<std::string>& printed);
  std::string pattern_of(const std::string& line, std::vector<std::string>& numbers) const;
  bool is_known_here(const std::string& number) const;

  std::map<std::string, std::string> here_;
  std::map<std::string, std::string> environment_;
  std::vector<std::unique_ptr<running_program>> jobs_;
};

} // namespace levain::test
