#pragma once

#include <map>
#include <optional>
#include <vector>

#include "tests/simulation/plan.hpp"

namespace levain::simulation {

/// What a text has in it that the database of a world refuses.
inline constexpr std::string_view poison_text = "poison-for-the-database";

/// The faults of a plan, for those who have to bear them.
class weather {
public:
  weather(const plan& from, timestamp begin);

  /// What is asked on this connection is not answered, or not even done.
  bool is_out(int node, connection_kind connection, bool reads, timestamp now) const;
  /// What is asked of the leases is done, but the answer is lost.
  bool loses_lease_answers(int node, timestamp now) const;
  /// What becomes of what these two say to each other; nothing while their link is whole.
  std::optional<cut_kind> cut_between(int node, int other, timestamp now) const;
  /// The same of a node and a worker.
  std::optional<cut_kind> cut_to_worker(int worker, int node, timestamp now) const;
  /// How long a call takes on this connection.
  duration delay(int node, connection_kind connection, timestamp now) const;
  /// Whether this actor gets no turn.
  bool holds(int node, held_actor actor, timestamp now) const;
  /// The next commit of this node goes wrong so; taken from the plan by asking.
  std::optional<commit_fault> next_commit_fault(int node, timestamp now);

  /// When something begins or ends next after `now`.
  std::optional<timestamp> next_change(timestamp now) const;
  /// No fault of the plan begins or lasts beyond this.
  timestamp last_change() const { return changes_.empty() ? timestamp{} : changes_.back(); }
  /// Nothing goes wrong any more.
  void clear_up();

private:
  timestamp when(duration at) const { return begin_ + at; }
  template <class Item>
  bool lasts(const Item& x, int node, timestamp now) const {
    return (x.node == any_node || x.node == node) && when(x.at) <= now && now < when(x.at + x.span);
  }

  timestamp begin_;
  std::vector<outage_item> outages_;
  std::vector<slow_item> slow_;
  std::vector<hold_item> holds_;
  std::vector<commit_item> commits_;
  std::vector<cut_item> cuts_;
  std::vector<timestamp> changes_;
};

} // namespace levain::simulation
