#pragma once

#include <chrono>

#include "actors/cluster/router_messages.hpp"

// What the engine tells its gate, inside the process.

namespace levain {

/// Others find you at this HOST:PORT.
struct gate_bound {
  std::string address;
};

/// Ask another node.
struct ask_peer {
  uuid node;
  peer_request request;
  std::chrono::milliseconds time_max{};
  receiver<peer_answer> outcome;
};

/// The engine has served what another node asked.
struct peer_served {
  uint64_t number = 0;
  peer_answer answer;
};

/// Tell the others that this node has released shards.
struct tell_shards_freed {};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::gate_bound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::ask_peer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::peer_served)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::tell_shards_freed)
