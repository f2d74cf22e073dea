#pragma once

#include <cstddef>
#include <cstdint>

#include "actors/cluster/wire_address.hpp"

namespace levain::test {

/// Connects with a gate so many times, and each time says something that a program of ours might say, bent somewhere:
/// a bit, a field of a header, the order, the end. Answers how many connections were made. The same for one seed.
size_t send_bent_frames(const wire_address& at, size_t connections, uint32_t seed);

/// Listens, and answers the first `connections` that come with bent frames, as a gate would that means ill.
void answer_with_bent_frames(const wire_address& at, size_t connections, uint32_t seed);

} // namespace levain::test
