#pragma once

#include <string>
#include <vector>

#include "actors/finding.hpp"
#include "actors/node.hpp"

namespace levain {

// The thresholds of the findings. Each is where a person should look, not where something breaks.

/// Of 99 commits in a hundred. A disk that is asked to sync answers within some ten milliseconds; this is another disk,
/// or a neighbour's load.
inline constexpr duration commit_slow = std::chrono::milliseconds(100);
/// Each step of a run waits for a commit: with these a run of five steps takes ten seconds for them alone, and a batch
/// comes into the order of the lease.
inline constexpr duration commit_very_slow = std::chrono::seconds(2);
/// Appends that wait for a writer, in full batches: so many batches are at most some seconds' work.
inline constexpr size_t batches_waiting_warning = 20;
/// Of the room where runs wait. From the second share on starts are about to be refused.
inline constexpr double waiting_room_warning = 0.5;
inline constexpr double waiting_room_critical = 0.95;

/// Of the memory that live runs, or calls, may take. From the second share on starts are about to be refused.
inline constexpr double memory_notice = 0.8;
inline constexpr double memory_warning = 1.0;

/// Why the node takes no starts, a sentence each; empty when it does.
std::vector<std::string> why_not_ready(const node_status& status);

/// What the figures mean; one finding for everything that was looked at, good or bad. Pure.
std::vector<finding> node_findings(const node_status& status);

} // namespace levain
