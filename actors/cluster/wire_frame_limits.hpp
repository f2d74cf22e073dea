#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "actors/cluster/wire_limits.hpp"

// How much a connection of the wire may bring before CAF sees any of it. Bytes are those of BASP, CAF 0.17's protocol.

namespace levain {

/// A frame is a header of this size and a payload.
inline constexpr size_t frame_header_bytes = 32;
/// The payload of a handshake, and of what one program tells another of an actor's end. Such frames are read whole.
inline constexpr size_t frame_control_bytes_max = 4 * 1024;
/// The payload of a message: the largest body, and what stands around it.
inline constexpr size_t frame_payload_bytes_max = wire_body_bytes_max + 1024;
/// The name that CAF gives a program: the kind of name, a process number, and the hash of a machine.
inline constexpr size_t frame_name_bytes = 32;

/// Payloads up to this size are not counted.
inline constexpr size_t frame_uncounted_bytes = 64 * 1024;
/// Larger payloads that are on their way from all peers together; connections wait for their turn beyond.
inline constexpr size_t frames_unread_bytes_max = 256 * 1024 * 1024;
static_assert(frames_unread_bytes_max >= frame_payload_bytes_max);
/// Of a larger payload so much has to be there before CAF sees its header: CAF fills room for all of it with zeros
/// then.
inline constexpr size_t frame_shown_bytes = 32 * 1024;
static_assert(frame_shown_bytes < frame_uncounted_bytes);
/// What a connection holds in each direction.
inline constexpr size_t link_buffer_bytes = 64 * 1024;
static_assert(frame_shown_bytes < link_buffer_bytes);

/// From the first byte of a frame to its last one: this, and a second for each `frame_pace_bytes` of its payload.
inline constexpr std::chrono::milliseconds frame_time_max{10'000};
inline constexpr size_t frame_pace_bytes = 64 * 1024;
/// From a connection to the end of the other side's handshake, TLS included.
inline constexpr std::chrono::milliseconds introduction_time_max{2'000};
/// A peer that takes no byte for so long while there are some for it is cut off.
inline constexpr std::chrono::milliseconds stalled_time_max{30'000};

/// Connections that others made and have not introduced themselves on; further ones are closed at once. Never more than
/// an eighth of the descriptors that the process may have.
inline constexpr size_t unintroduced_max = 256;
/// Of these from one address.
inline constexpr size_t unintroduced_of_one_address_max = 128;
/// Connections that have introduced themselves. A connection takes three descriptors; all of them together never take
/// more than three fifths of those that the process may have.
inline constexpr size_t links_max = 2 * workers_max;

} // namespace levain
