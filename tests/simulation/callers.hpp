#pragma once

#include <functional>
#include <map>
#include <vector>

#include "tests/simulation/ground.hpp"
#include "tests/simulation/node_life.hpp"

namespace levain::simulation {

/// The people and programs of a world: register workflows, start runs, ask again, and wish things of runs.
class callers {
public:
  /// `living` answers the life of a node that is reachable, or null.
  callers(ground& under, std::function<node_life*(int node)> living);

  /// Puts on the agenda what the plan has for them.
  void begin();
  /// Somebody wants this of a run, and asks until it is granted or refused.
  void insist(wish_kind kind, const run_id& run, const tenant_id& tenant);
  /// Which run the start made, once somebody was told.
  std::optional<run_id> run_of(int start) const;
  /// Who still means to ask again.
  size_t pending() const { return pending_; }

  static tenant_id tenant_of(int number);

private:
  struct start_asking {
    start_item what;
    uint32_t tries_left = 0;
    bool settled = false;
  };
  struct wish_asking {
    wish_item what;
    uint32_t tries_left = 0;
    uint32_t tried = 0;
    bool settled = false;
    run_id run;
    tenant_id tenant;
  };
  using start_ptr = std::shared_ptr<start_asking>;
  using wish_ptr = std::shared_ptr<wish_asking>;

  void publish(const workflow_item& what);
  void put(const workflow_item& what);
  void ask(const start_ptr& x);
  void start(const start_ptr& x, const life_ptr& at, const node_entrance& enter, workflow_ptr workflow);
  void told(const start_ptr& x, uint64_t request, const start_outcome& outcome);
  void ask_again(const start_ptr& x, duration after);
  void ask(const wish_ptr& x);
  void told(const wish_ptr& x, uint64_t request, const wish_outcome& outcome);
  void ask_again(const wish_ptr& x, duration after);
  void ask(const question_item& what, uint32_t tries_left);
  node_life* whom(int node, const std::optional<run_id>& run) const;

  ground& under_;
  std::function<node_life*(int)> living_;
  chance luck_;
  uint64_t requests_ = 0;
  size_t pending_ = 0;
  /// By start.
  std::map<int, run_id> runs_;
  std::map<int, int> tenants_;
  std::map<std::string, int32_t> newest_;
  std::map<std::string, std::vector<int32_t>> versions_;
};

} // namespace levain::simulation
