#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "actors/run_machine/machine.hpp"
#include "persistence/journal.hpp"

namespace levain::test {

/// The plan of the run with this number; all plans differ, and the same number has always the same one.
run_plan course_plan(const workflow_definition& workflow, size_t number);

/// Takes one run from its start to its end as its actor does, but without actors: decide, evolve, prepare the calls,
/// encode the events, project the row. Every call answers `output` at once. Gives what the run sends to the journal,
/// one append for each decision, in order.
std::vector<run_append> take_course(const workflow_ptr& workflow, run_plan plan, const std::string& output);

/// Many runs side by side: the batches that a journal sees when all of them go on together. The first batch holds the
/// first append of each run, and so on.
std::vector<std::vector<run_append>> take_courses(const workflow_ptr& workflow, size_t runs, const std::string& output);

} // namespace levain::test
