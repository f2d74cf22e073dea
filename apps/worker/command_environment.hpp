#pragma once

#include <string>
#include <vector>

#include "actors/worker/include/levain/worker.hpp"

namespace levain {

/// The environment of a command, `NAME=VALUE` each: ours, and the step's `LEVAIN_...` variables. Left out is what
/// is meant for Levain and not for its work: other variables named `LEVAIN_...` (settings, files of keys) and `PG...`
/// (where libpq connects to, passwords), but `LEVAIN_URL`, and those that `passed` names.
std::vector<std::string> command_environment(const worker_step& step, const std::vector<std::string>& passed);

} // namespace levain
