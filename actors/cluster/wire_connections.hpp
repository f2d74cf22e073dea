#pragma once

#include <chrono>

#include <caf/actor.hpp>
#include <caf/event_based_actor.hpp>

namespace levain {

/// What CAF's broker of connections leaves open. It looks only after connections on which something was received, and
/// closes those of which it has not heard for long; a new one counts as never heard of.

/// Closes the connection to the program that `peer` lives in: for those that send what no program of ours sends. Any
/// thread.
void cut_off(const caf::strong_actor_ptr& peer);

/// As long as `gate` lives: closes what others have opened and not said a word on for `silence_max`. Over TLS such a
/// connection costs a processor (CAF 0.17 asks again and again whether it may write). Any thread.
void close_silent_connections(const caf::actor& gate, std::chrono::milliseconds silence_max);

/// Until `end`, or until the actor that does it is sent an exit: counts connections that this program opens as heard of
/// when they begin. Otherwise CAF closes them with its next heartbeat unless the other side has answered by then.
caf::actor spare_new_connections(caf::event_based_actor* self, std::chrono::steady_clock::time_point end);

} // namespace levain
