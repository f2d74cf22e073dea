#pragma once

#include <string>
#include <variant>

#include "actors/cluster/wire_messages.hpp"
#include "actors/messages.hpp"

namespace levain {

/// What one node asks another.
using peer_request = std::variant<wire_change, wire_explain, wire_start>;

/// Why there is no answer.
struct no_answer {
  /// A sentence.
  std::string reason;
  /// It was sent: the other node may have done what was asked.
  bool sent = false;
};

using peer_answer = std::variant<wire_changed, wire_explained, wire_started, no_answer>;

/// PORT. Carries requests to other nodes and their answers back.
class peer_links {
public:
  virtual ~peer_links() = default;

  /// Asks a node; `outcome` is told exactly once, after `time_max` at the latest, from any thread. Any thread.
  virtual void ask(const uuid& node, peer_request request, duration time_max, receiver<peer_answer> outcome) = 0;
};

} // namespace levain
