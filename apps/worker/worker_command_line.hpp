#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "actors/worker/include/levain/worker.hpp"
#include "apps/bakery/faults.hpp"
#include "apps/worker/child_command.hpp"

namespace levain {

/// A kind that the worker offers, done by a service of the bakery or by a command.
struct offered_kind {
  std::string kind;
  uint32_t at_once = 1;
  /// One of `bakery::service_names`; empty when it is a command.
  std::string service;
  command_words command;
};

/// Everything that `levain-worker` can be told: by the command line, else by `LEVAIN_WORKER_...` variables.
struct worker_command_line {
  worker_options worker;
  /// At least one.
  std::vector<offered_kind> kinds;
  /// Variables of the environment that commands get although their names begin with LEVAIN_ or PG.
  std::vector<std::string> passed_variables;
  /// Where the bakery's work is kept; empty for nowhere.
  std::string state_dir;
  bakery::fault_plan faults;
  std::string log_level = "info";
  bool log_json = false;
};

/// Reads the command line. Answers the exit status where the program is to end at once: 0 after `--help` and
/// `--version`, 2 for what is wrong, said on stderr.
std::variant<worker_command_line, int> read_worker_command_line(int argc, const char* const* argv);

} // namespace levain
