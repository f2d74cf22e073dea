#pragma once

#include "persistence/timestamp.hpp"

namespace levain {

/// UTC as it was when this process asked first, and what has passed since by the monotonic clock: it is never set. For
/// what a process waits for; what is written down has the time of `now_utc`. Any thread.
timestamp steady_utc();

} // namespace levain
