#pragma once

#include <cstdint>

namespace levain::test {

/// How often this thread has called `operator new` so far. Counts in every program that is linked with
/// `allocation_count.cpp`, which puts counting operators in the place of the library's.
uint64_t allocations_of_this_thread();

} // namespace levain::test
