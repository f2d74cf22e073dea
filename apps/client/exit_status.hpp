#pragma once

#include <stdexcept>
#include <string>

namespace levain {

/// How a program ends; the same for all of them.
enum class exit_status : int {
  done = 0,
  /// The work failed.
  failed = 1,
  /// The command line was wrong.
  wrong_command_line = 2,
  /// A service it needs is not there.
  service_missing = 3,
};

/// Ends the program with a sentence for people.
class command_failed : public std::runtime_error {
public:
  command_failed(exit_status status, const std::string& sentence)
    : std::runtime_error(sentence)
    , status_(status) {}

  exit_status status() const { return status_; }

private:
  exit_status status_;
};

} // namespace levain
