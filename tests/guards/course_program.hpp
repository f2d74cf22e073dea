#pragma once

#include <string>
#include <vector>

namespace levain::test {

/// How many runs `guard_course` is told to take: full batches of each kind.
inline constexpr int course_program_runs = 500;

/// Runs `guard_course`, under the program and with the settings of the environment that `under` says (as `env` takes
/// them). Gives all it printed; fails the test unless it succeeds.
std::string run_course_program(std::vector<std::string> under);

} // namespace levain::test
