#pragma once

#include <map>
#include <string>
#include <vector>

namespace levain::test {

/// A command line that has to be refused.
struct bad_command_line {
  std::string program;
  /// `DIR` in them stands for a folder of the test's own.
  std::vector<std::string> arguments = {};
  std::map<std::string, std::string> environment = {};
  /// Written to `DIR/levaind.toml`; nothing is written when empty.
  std::string configuration = {};
};

/// Wrong words after the names of our programs.
const std::vector<bad_command_line>& bad_arguments();
/// Wrong values in the environment.
const std::vector<bad_command_line>& bad_environments();
/// Wrong configuration files of the daemon.
const std::vector<bad_command_line>& bad_configurations();

} // namespace levain::test
