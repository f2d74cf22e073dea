#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/cluster/router.hpp"
#include "tests/support/shared_world.hpp"

namespace levain::test {

/// Nodes on one database that ask each other: each has a router, and between them are links that carry a request when
/// the test says so, and break as it says.
class peer_net {
public:
  /// What became of what a caller asked; a second outcome fails the test.
  template <class Outcome>
  using told = std::shared_ptr<std::optional<Outcome>>;

  peer_net() = default;
  ~peer_net();
  peer_net(const peer_net&) = delete;
  peer_net& operator=(const peer_net&) = delete;

  /// One more node, which is the n-th, from 0. The clock of its router is off by `offset`.
  actor_world&
  add(const actor_world::options& how = {}, const router_options& routing = {}, const duration* offset = nullptr);
  /// Every router is told what the database says of the nodes, changed as `change` has it.
  void know(const std::function<void(cluster_view&)>& change = [](cluster_view&) {});
  uuid id_of(size_t node) const { return nodes_.at(node)->id; }
  actor_world& node(size_t node) { return nodes_.at(node)->place; }

  // ---- callers, at a node ----
  told<start_outcome> start(
    size_t at, const std::function<void(start_request&)>& change = [](start_request&) {});
  told<wish_outcome> change(size_t at, const run_id& run, wish asked);
  told<explain_outcome> explain(size_t at, const run_id& run, const tenant_id& tenant = actor_world::tenant);
  /// The router of this node ends.
  void end_router(size_t at);
  /// What the links of this node are asked.
  void ask_links(size_t from, const uuid& to, peer_request request, receiver<peer_answer> outcome);

  // ---- links ----
  /// From now on requests of `from` find no connection to `to`, until it is mended.
  void cut(size_t from, size_t to) { cut_.emplace(from, to); }
  /// From now on what `to` answers `from` is lost on its way.
  void lose_answers(size_t from, size_t to) { losing_.emplace(from, to); }
  void mend() {
    cut_.clear();
    losing_.clear();
  }
  /// Requests stay on their way until `settle` after this was set to false.
  bool holds_requests = false;
  /// How often one node asked another, whatever became of it.
  size_t asked() const { return asked_; }

  /// Lets everything happen that can without time passing.
  void settle();
  void advance(duration span);

  shared_world world;

private:
  class links;
  struct routed_node {
    explicit routed_node(actor_world& where)
      : place(where) {}
    actor_world& place;
    uuid id;
    router_actor route;
    timekeeper_actor timekeeping;
    definitions_actor define;
  };
  struct sent_request {
    size_t from = 0;
    uuid to;
    peer_request what;
    receiver<peer_answer> outcome;
  };

  template <class Outcome>
  static receiver<Outcome> teller(const told<Outcome>& to);
  void carry(sent_request x);

  std::vector<std::unique_ptr<routed_node>> nodes_;
  std::deque<sent_request> sent_;
  std::set<std::pair<size_t, size_t>> cut_;
  std::set<std::pair<size_t, size_t>> losing_;
  size_t asked_ = 0;
};

} // namespace levain::test
