#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "tests/simulation/auditor/blame.hpp"
#include "tests/simulation/auditor/ownership.hpp"
#include "tests/simulation/witness.hpp"

namespace levain::simulation {

/// How long nodes wait by the true time for what they said they would wait for. A wait counts from the call whose
/// failure it follows, which began earlier than the wait; so it is never found to be too short by mistake.
class wait_ledger {
public:
  wait_ledger(const ownership& owners, blame accuse)
    : owners_(owners)
    , accuse_(std::move(accuse)) {}

  void made(const call_made& x);
  void written(const run_written& x);
  /// What a node made of events that were refused is its own affair.
  void refused(const run_refused& x) { refused_.insert(x.run); }

private:
  /// A step and whether it is to be undone; an empty one for the run as a whole.
  using waiting = std::pair<std::string, bool>;
  struct wait {
    place by;
    /// The call was made then, by the same node.
    timestamp since{};
    duration length{};
    /// Until when by the node's own clock.
    timestamp due{};
  };

  void begins(const run_written& x, const event_record& event, const waiting& what);
  void ends(const run_written& x, const event_record& event, const waiting& what);

  const ownership& owners_;
  blame accuse_;
  std::map<std::pair<run_id, waiting>, wait> waits_;
  /// When the newest call was made, by whom.
  std::map<std::pair<run_id, waiting>, std::pair<place, timestamp>> calls_;
  std::set<run_id> refused_;
};

} // namespace levain::simulation
