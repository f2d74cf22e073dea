#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// Every limit of a worker that is no option of it, beside those of the wire (`wire_limits.hpp`).

namespace levain {

/// Of the sentence that says why a step failed.
inline constexpr size_t worker_message_bytes_max = 4000;

/// Results that nobody took yet; the oldest goes first.
inline constexpr size_t kept_results_max = 10'000;
inline constexpr size_t kept_result_bytes_max = 64 * 1024 * 1024;
/// How long a result that was sent is kept in case its node dies with it: more than it takes to find that out.
inline constexpr std::chrono::milliseconds sent_result_doubt{10'000};
/// Held calls named in one message.
inline constexpr size_t held_calls_told_max = 1000;

/// Between two heartbeats of one call that go over the wire.
inline constexpr std::chrono::milliseconds call_heartbeat_interval{100};

/// Gates that a worker tries to be connected with.
inline constexpr size_t gates_known_max = 1000;
/// For a gate to take a connection, and to answer the introduction.
inline constexpr std::chrono::milliseconds gate_connect_timeout{5'000};
inline constexpr std::chrono::milliseconds gate_hello_timeout{5'000};
/// Before a gate that refused, or was cut off, is tried again: nothing gets better by asking often.
inline constexpr std::chrono::milliseconds gate_refused_pause{30'000};
/// A gate that nobody lists any more is forgotten after so many tries in vain.
inline constexpr uint32_t gate_tries_max = 3;

/// What may be given: a call's texts.
inline constexpr size_t call_name_bytes_max = 1000;
/// Arrays and objects inside one another in a call's body: those of an output, inside `results`, inside the body.
inline constexpr size_t call_body_depth_max = 80;
inline constexpr std::chrono::hours call_time_left_max{24 * 366};

/// After `stop_grace`, how long functions have to heed that they are cancelled.
inline constexpr std::chrono::milliseconds cancelled_grace{3'000};

} // namespace levain
