#pragma once

#include <memory>

#include "actors/cluster/peer_links.hpp"
#include "persistence/cluster_view.hpp"

// What the router is told beside what callers ask of runs: the continuation of `messages.hpp`.

namespace levain {

/// What the database says of the nodes, and which of them this one is.
struct cluster_known {
  std::shared_ptr<const cluster_view> view;
  uuid self;
};

/// Another node asks: it is served here, or refused; never sent on.
struct peer_asked {
  peer_request request;
  receiver<peer_answer> outcome;
};

/// INTERNAL to the router: somebody has answered a wish.
struct wish_answered {
  uint64_t number = 0;
  std::variant<wish_outcome, no_answer> outcome;
};

/// INTERNAL to the router: this node cannot take the start; another may.
struct start_elsewhere {
  std::shared_ptr<start_run> start;
  uuid node;
  start_refused why_not_here;
};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::cluster_known)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::peer_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::wish_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::start_elsewhere)
