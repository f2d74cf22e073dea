#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "apps/client/exit_status.hpp"

namespace levain::terminal {

/// Says on standard error, after the program's name, why it ends so. Answers the status for `main`.
int end_with(const std::string& program, exit_status status, const std::string& sentence);

/// Does the work; whatever it throws ends the program with a sentence and the status that fits: `service_missing` where
/// a database is not there or cannot be asked, what a `command_failed` says, `failed` otherwise. Answers the status for
/// `main`.
int perform(const std::string& program, const std::function<exit_status()>& work);

/// The log of a program whose standard output belongs to its answer. `level` is spdlog's word for the lowest one shown.
void log_to_standard_error(const std::string& program, const std::string& level);

/// The names of the commands below this one, as a list in a sentence.
std::string command_names(const CLI::App& within);

} // namespace levain::terminal
