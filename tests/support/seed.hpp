#pragma once

#include <cstdint>

namespace levain::test {

/// The seed for what a test leaves to chance: `LEVAIN_SEED` if that is set, else a new one. It is printed, so that what
/// happened can be asked for again. Throws `std::runtime_error` when `LEVAIN_SEED` is no whole number from 0 to 2^64-1.
uint64_t announced_seed();

} // namespace levain::test
