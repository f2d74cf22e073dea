#pragma once

#include <string>

#include <caf/actor.hpp>
#include <caf/system_messages.hpp>

namespace levain {

/// Closes the connection to the program that `peer` lives in: for those that send what no program of ours sends. Any
/// thread.
void cut_off(const caf::strong_actor_ptr& peer);

/// Ends what CAF keeps of programs that are not connected any more: an actor for each name, for five minutes. Any
/// thread.
void forget_strangers(caf::actor_system& system);

/// Why an actor of another program is down, in a sentence about that program without a name. Any thread.
std::string why_down(caf::actor_system& system, const caf::down_msg& down);

} // namespace levain
