#pragma once

#include <memory>
#include <utility>

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

/// A start on its way. Who asked for it is told once, also when whoever had it is gone.
class routed_start {
public:
  explicit routed_start(start_run x)
    : asked_(std::move(x)) {}
  ~routed_start() {
    if (asked_.outcome)
      asked_.outcome(start_refused{start_refused::reason_type::not_ready, "the node is shutting down", std::nullopt});
  }
  routed_start(const routed_start&) = delete;
  routed_start& operator=(const routed_start&) = delete;

  const start_request& request() const { return asked_.request; }
  void tell(start_outcome outcome) { std::exchange(asked_.outcome, nullptr)(std::move(outcome)); }
  /// For somebody else, who tells the outcome from now on.
  start_run take() { return {std::move(asked_.request), std::exchange(asked_.outcome, nullptr)}; }

private:
  start_run asked_;
};

/// INTERNAL to the router: this node cannot take the start; another may.
struct start_elsewhere {
  std::shared_ptr<routed_start> start;
  uuid node;
  start_refused why_not_here;
};

} // namespace levain

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::cluster_known)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::peer_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::wish_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(levain::start_elsewhere)
