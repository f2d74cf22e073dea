#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <sys/types.h>

namespace levain::load {

/// CPU time is user and system time together, of all threads. Of other processes it is known in ticks of the kernel,
/// 10 ms as a rule. Any thread.

/// Of this process.
std::chrono::microseconds own_cpu();

/// Of one process, without its children; absent when it is gone.
std::optional<std::chrono::microseconds> cpu_of(pid_t process);

/// Of a process and all that descend from it, those that have ended and were waited for among them: of a whole
/// PostgreSQL, when it is given the postmaster. Absent when the process is gone.
std::optional<std::chrono::microseconds> cpu_of_family(pid_t ancestor);

/// Memory of a process that is resident now, and that was at most, in bytes; absent when it is gone.
std::optional<uint64_t> rss_bytes_of(pid_t process);
std::optional<uint64_t> peak_rss_bytes_of(pid_t process);

/// Begins to measure the most memory of this process anew, where the system lets it.
void forget_peak_rss();

} // namespace levain::load
