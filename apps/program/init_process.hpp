#pragma once

namespace levain {

/// Call first in `main`, before any other thread. Where this process is number 1 of a container, it goes on in a child,
/// and process 1 does what is asked of an init process: it takes in every process that has lost its parent and ended,
/// passes on all signals, and ends when the child does, with its exit status or 128 + the signal that ended it. Returns
/// in the child; does nothing in any other process.
void begin_below_init();

} // namespace levain
