#pragma once

#include <string>

namespace levain {

/// A statement for the sizes of runs, in bytes and in the order of the ids $1: one run after the other, and no further
/// than $2 bytes together. `measured` gives `bytes` of the run `measured_run`.
std::string run_sizes_statement(const std::string& measured);

/// The id of the run that is measured, within `measured`.
inline constexpr const char* measured_run = "($1::uuid[])[walk.place + 1]";

/// Selects the `bytes` of its events in the form in which they are sent: a number such as 1e308 takes 50 times the room
/// that it takes on disk. Each has 100 beside its body.
std::string measured_events();

} // namespace levain
