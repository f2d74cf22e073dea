#pragma once

#include <csignal>

namespace levain {

/// The signals that ask a program to end: SIGTERM, SIGINT, SIGQUIT and SIGHUP, which a terminal sends when it goes
/// away. SIGHUP is left out where it was ignored at the start, as `nohup` does.
sigset_t ending_signals();

/// Ends this process by the signal, or with status 128 + `number` where the kernel does not let it: a process 1 is not
/// ended by a signal's default action. Async-signal-safe.
[[noreturn]] void end_by_signal(int number);

} // namespace levain
