#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// How much may come over the wire at once. What is beyond a limit is no message of ours: its sender is cut off.

namespace levain {

// ---- nodes ------------------------------------------------------------------

/// Where a node's gate is: HOST:PORT.
inline constexpr size_t wire_address_bytes_max = 300;
/// A sentence that another node says.
inline constexpr size_t wire_sentence_bytes_max = 64 * 1024;
/// Waits in an explanation; more steps than a definition may have wait for nothing.
inline constexpr size_t wire_waits_max = 10'000;
/// The word for what is waited for.
inline constexpr size_t wire_wait_kind_bytes_max = 100;
inline constexpr size_t wire_run_number_bytes_max = 32;
/// After what another node says that a start is to be tried again: nobody tells a caller to come back later than that.
inline constexpr std::chrono::milliseconds wire_retry_after_max = std::chrono::hours(24);

// ---- workers ----------------------------------------------------------------

/// Kinds of steps that one worker offers.
inline constexpr size_t worker_kinds_max = 100;
/// The name of a kind, as in definitions.
inline constexpr size_t wire_kind_bytes_max = 100;
/// Calls of one kind that a worker takes at once.
inline constexpr uint32_t worker_slots_max = 10'000;
/// The name of a worker or a node.
inline constexpr size_t wire_name_bytes_max = 200;
/// The name of a machine (RFC 1035 section 2.3.4).
inline constexpr size_t wire_host_bytes_max = 255;
/// A program's version.
inline constexpr size_t wire_version_bytes_max = 100;
/// Calls that a worker says it holds.
inline constexpr size_t held_calls_max = 10'000;
/// A call's key: a run's id, a step's name of at most 100 bytes, and what marks a redo or an undo.
inline constexpr size_t wire_key_bytes_max = 200;
/// What a call is given to work with.
inline constexpr size_t wire_body_bytes_max = 64 * 1024 * 1024;
/// A call's body up to this length goes with the call; a longer one goes in parts, in protocol 2.
inline constexpr size_t call_whole_bytes_max = 64 * 1024;
/// One part of a call's body.
inline constexpr size_t call_part_bytes_max = 64 * 1024;
/// Parts on their way to one worker, sent and not confirmed yet.
inline constexpr size_t call_parts_window_bytes = 1024 * 1024;
/// The words of a heartbeat.
inline constexpr size_t wire_progress_bytes_max = 1000;
/// What a call came to.
inline constexpr size_t wire_result_bytes_max = 16 * 1024 * 1024;
/// What a worker may ask for between two attempts.
inline constexpr std::chrono::milliseconds worker_retry_after_max = std::chrono::hours(24 * 7);
/// Workers that are connected with a node.
inline constexpr size_t workers_max = 1'000;
/// Calls of a node that wait for a worker.
inline constexpr size_t worker_calls_waiting_max = 100'000;

} // namespace levain
