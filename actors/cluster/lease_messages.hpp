#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "actors/messages.hpp"

// What the lease keeper is told of the other nodes, and of the end of this one: the continuation of `messages.hpp`.
// They stay inside the process.

namespace levain {

/// The node has a gate: others are to know where, and which versions of the wire's protocol it speaks there.
struct announce_gate {
  /// HOST:PORT.
  std::string cluster_address;
  uint32_t protocol_min = 0;
  uint32_t protocol_max = 0;
};

/// Let this node (any one) hold no shards as long as others can, or let it hold some again.
struct drain_node {
  uuid node;
  bool draining = true;
  /// Whether the database knows the node; a sentence when it could not be asked.
  receiver<std::variant<bool, std::string>> outcome;
};

/// A peer is gone: look often for a while, so that shards whose lease runs out are taken soon (and no sooner).
struct look_closely {};

/// Another node has released shards: look now whether they are this node's.
struct shards_freed_elsewhere {};

/// What became of `hand_all_over`.
struct all_handed_over {
  /// Shards that stay with this node until it leaves.
  size_t shards_left = 0;
  /// Why, a sentence; empty when none is left.
  std::string reason;
};

/// The node is about to end: let others have all its shards, in order. Nothing is taken from now on.
struct hand_all_over {
  /// Called when no shard is left, or as soon as it is certain that nobody takes the rest.
  receiver<all_handed_over> outcome;
};

/// The node ends and has not used these run numbers: from `first` to before `end`. It uses none from now on.
struct numbers_unused {
  int64_t first = 0;
  int64_t end = 0;
};

/// INTERNAL to the lease keeper: look again, without a heartbeat's time between.
struct look_again {};

/// INTERNAL to the lease keeper: the next of the looks that `look_closely` asked for.
struct look_closer {};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::announce_gate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::drain_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::look_closely)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::shards_freed_elsewhere)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::hand_all_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::numbers_unused)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::look_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::look_closer)
