#pragma once

#include <memory>
#include <set>
#include <string>

#include "persistence/journal.hpp"
#include "persistence/leases.hpp"
#include "tests/support/actor_world.hpp"

namespace levain::test {

/// Does what it is told and loses the answer, when the test says so.
class forgetful_leases : public leases {
public:
  forgetful_leases(std::unique_ptr<leases> real, std::shared_ptr<std::set<std::string>> loses)
    : real_(std::move(real))
    , loses_(std::move(loses)) {}

  void join(const node_record& node, std::chrono::milliseconds lease, const std::optional<uuid>& follows) override {
    real_->join(node, lease, follows);
    lose("join");
  }
  bool heartbeat(const uuid& node, const node_figures& figures) override { return real_->heartbeat(node, figures); }
  shard_share share(const uuid& node) override { return real_->share(node); }
  cluster_view view() override {
    auto seen = real_->view();
    lose("view");
    return seen;
  }
  bool set_draining(const uuid& node, bool draining) override {
    const bool known = real_->set_draining(node, draining);
    lose("set_draining");
    return known;
  }
  std::vector<shard_lease> take(const uuid& node, size_t max, bool sole) override {
    auto taken = real_->take(node, max, sole);
    lose("take");
    return taken;
  }
  std::vector<shard_lease> owned(const uuid& node) override { return real_->owned(node); }
  size_t release(const uuid& node, const std::vector<shard_lease>& shards) override {
    const auto count = real_->release(node, shards);
    lose("release");
    return count;
  }
  size_t forget_expired(std::chrono::milliseconds age) override { return real_->forget_expired(age); }
  void leave(const uuid& node) override { real_->leave(node); }
  std::vector<workflow_version> unfinished_workflows() override { return real_->unfinished_workflows(); }
  int64_t reserve_run_numbers(int64_t count) override { return real_->reserve_run_numbers(count); }
  bool give_back_run_numbers(int64_t first, int64_t end) override { return real_->give_back_run_numbers(first, end); }

private:
  void lose(const std::string& what) {
    if (loses_->erase(what) > 0)
      throw journal_unavailable("the answer to " + what + " was lost");
  }

  std::unique_ptr<leases> real_;
  std::shared_ptr<std::set<std::string>> loses_;
};

/// A node that loses the next answer to each of these, once.
inline actor_world::options losing(const std::shared_ptr<std::set<std::string>>& what) {
  actor_world::options settings;
  settings.wrap_leases = [what](std::unique_ptr<leases> real) {
    return std::make_unique<forgetful_leases>(std::move(real), what);
  };
  return settings;
}

} // namespace levain::test
