#pragma once

#include <string>

#include "persistence/timestamp.hpp"

namespace levain {

/// A span as people read it, to two places at most: `840 us`, `41 ms`, `1.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
std::string span_text(duration span);

} // namespace levain
